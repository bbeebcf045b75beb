import { comments } from '../../src/projections/comments.js';
import { fact, itself, opened } from '../facts.js';
import { given, only, onTask } from './folded.js';

const added = (commentId: string) =>
  fact('CommentAdded', {
    task: 'ACME-12',
    commentId,
    author: itself,
    body: 'The export is mended.',
    mentions: ['reviewer'],
    wakeupIds: [],
    addedAt: '2026-04-20T11:20:00.000Z',
  });
const removed = fact('CommentRemoved', {
  task: 'ACME-12',
  commentId: 'c-1',
  wakeupIds: [],
  removedAt: '2026-04-20T11:30:00.000Z',
});

describe('comments', () => {
  it('has who said what on which task, and whom it mentions', () =>
    expect(only(given(onTask([opened(), added('c-1')])).folded(comments))).toEqual({
      company: 'acme',
      task: 'ACME-12',
      comment_id: 'c-1',
      author_type: 'agent',
      author_id: 'fixer',
      body: 'The export is mended.',
      mentions: ['reviewer'],
      added_at: '2026-04-20T11:20:00.000Z',
      removed_at: null,
      position: '0000000000000002',
    }));

  it('keeps of a removed comment that it was there, and not what it said', () => {
    const [first, second] = given(onTask([opened(), added('c-1'), added('c-2'), removed])).folded(comments);
    expect(first).toMatchObject({ comment_id: 'c-1', author_id: 'fixer', body: '', removed_at: '2026-04-20T11:30:00.000Z' });
    expect(second).toMatchObject({ comment_id: 'c-2', body: 'The export is mended.', removed_at: null });
  });
});
