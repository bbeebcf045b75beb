export const isLong = process.env.LEDGER_TEST_LONG !== undefined;

/** The short form goes the same ways each time, so that what fails tells of a change; SEED and the long form go others. */
export const seed = Number(process.env.SEED ?? (isLong ? Date.now() % 1_000_000 : 20_260_420));
