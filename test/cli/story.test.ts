import type { Recorded } from '../../src/events/event.js';
import { storyColumns } from '../../src/cli/story.js';
import { runningRun } from '../facts.js';
import { onTask } from '../projections/folded.js';

const told = (fact: Recorded) => storyColumns.map(([, cell]) => cell(fact));

describe('a line of a story', () => {
  it('says when, where in the stream, what, by whom, and what that means', () =>
    expect(told(onTask([...runningRun]).at(-1)!).slice(1)).toEqual([
      3,
      'RunStarted',
      'user:ada',
      'ACME-12.1 is started by laptop',
    ]));

  it('has the name alone of an event from a later version', () => {
    const [fact] = onTask([...runningRun]);
    expect(told({ ...fact!, type: 'RunPraised' } as Recorded).slice(2)).toEqual(['RunPraised', 'user:ada', undefined]);
  });
});
