import { card, table } from '../../src/cli/table.js';

const looks = { width: 60, color: false };

describe('a table', () => {
  it('is as wide as its longest cells', () =>
    expect(
      table(
        [
          { id: 'ACME-12.1', status: 'failed' },
          { id: 'B.1', status: 'scheduled_retry' },
        ],
        [
          ['run', ({ id }) => id],
          ['status', ({ status }) => status],
        ],
        looks,
      ),
    ).toBe(['RUN        STATUS', 'ACME-12.1  failed', 'B.1        scheduled_retry'].join('\n')));

  it('is cut where it would wrap', () =>
    expect(table(['x'.repeat(100)], [['text', (text) => text]], looks).split('\n')[1]).toBe(`${'x'.repeat(59)}…`));

  describe('whose last column is one of sentences', () => {
    const told = ['ACME-12.1 is parked until 06:58:16: attempt 1 of 3 after ACME-12.1'];
    const wide = [
      ['time', () => '06:58:11'],
      ['what', (text: string) => text, 'wrapped'],
    ] as const;
    const narrow = [['by', () => 'system:the-promoter-of-everything'], ...wide] as const;

    it('goes on below itself where there is room', () =>
      expect(table(told, wide, looks).split('\n').slice(1)).toEqual([
        '06:58:11  ACME-12.1 is parked until 06:58:16: attempt 1 of 3',
        '          after ACME-12.1',
      ]));

    it('goes on below the row where there is none', () =>
      expect(table(told, narrow, looks).split('\n').slice(1)).toEqual([
        'system:the-promoter-of-everything  06:58:11',
        '    ACME-12.1 is parked until 06:58:16: attempt 1 of 3 after',
        '    ACME-12.1',
      ]));

    it('cuts a word that is longer than a line', () =>
      expect(
        table(['x'.repeat(100)], wide, looks)
          .split('\n')
          .slice(1),
      ).toEqual([`06:58:11  ${'x'.repeat(50)}`, `          ${'x'.repeat(50)}`]));
  });

  it('lets nobody steer the terminal', () =>
    expect(table(['\u001b[2Jgone\nnext\u0007'], [['title', (text) => text]], looks)).toBe('TITLE\ngone next'));

  it('colours statuses only where it is asked to', () => {
    const columns = [['status', (status: string) => status]] as const;
    expect(table(['failed'], columns, looks)).not.toContain('\u001b');
    expect(table(['failed'], columns, { ...looks, color: true })).toContain('\u001b[31mfailed');
  });
});

it('shows the fields of one thing that it has', () =>
  expect(
    card(
      [
        ['run', 'A.1'],
        ['exit code', 0],
        ['error', null],
        ['worker', undefined],
      ],
      looks,
    ),
  ).toBe('run        A.1\nexit code  0'));
