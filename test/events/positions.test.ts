import {
  areOfOneForm,
  isPosition,
  justBefore,
  positionFrom,
  positionInWords,
  typedPosition,
} from '../../src/events/positions.js';

const counted = '0000000000000042';
const committed = '00000000000000004711';

describe('a position that a person types', () => {
  it('is completed as the log writes its own', () => {
    expect(positionFrom('7', counted)).toBe('0000000000000007');
    expect(positionFrom('7', committed)).toBe('00000000000000000007');
    expect(positionFrom('7', '')).toBe('0000000000000007');
  });

  it('may have been copied whole, also from a log that writes more zeros', () => {
    expect(positionFrom(counted, counted)).toBe(counted);
    expect(positionFrom(committed, committed)).toBe(committed);
    expect(positionFrom(committed, counted)).toBe('0000000000004711');
    expect(positionFrom('4711.00000000000000000042', committed)).toBe(`${committed}.00000000000000000042`);
  });

  it.each([
    ['7', true],
    [committed, true],
    [`${committed}.${committed}`, true],
    ['', false],
    ['-7', false],
    ['1e3', false],
    [`${committed}0`, false],
  ])('%p is one: %p', (text, is) => expect(typedPosition.test(text)).toBe(is));
});

it('knows what the engines write', () => {
  expect([counted, committed, `${committed}.${committed}`].map(isPosition)).toEqual([true, true, true]);
  expect(['42', `${counted}.${counted}`, `${committed} `].map(isPosition)).toEqual([false, false, false]);
});

it('goes back by one place, and not below the first', () => {
  expect([counted, committed, '0000000000000001'].map(justBefore)).toEqual(['0000000000000041', '00000000000000004710', '']);
});

it('is said without zeros', () => {
  expect(['0000000000000042', '', '0000000000000000'].map(positionInWords)).toEqual(['42', 'the beginning', '0']);
});

it('compares what one log can have', () => {
  expect(areOfOneForm(counted, '0000000000000001')).toBe(true);
  expect(areOfOneForm(committed, `${committed}.${committed}`)).toBe(true);
  expect(areOfOneForm('', committed)).toBe(true);
  expect(areOfOneForm(counted, committed)).toBe(false);
});
