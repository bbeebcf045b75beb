import { leaseTimes } from '../../../src/cli/worker/lease-keeper.js';

describe('a lease', () => {
  it('is renewed at each third, and ends as long after it was asked for as it lasts', () =>
    expect(leaseTimes(1_000, 90_000)).toEqual({ beatAt: 31_000, endingAt: 71_000, endAt: 91_000 }));

  it('announces its end at half of it where it is short', () => expect(leaseTimes(0, 30_000).endingAt).toBe(15_000));
});
