export type ScheduleRefusedCode = 'cron_invalid' | 'cron_never_fires' | 'zone_unknown';

/** A schedule that cannot be kept. The message is a sentence that names the value and what to write instead. */
export class ScheduleRefused extends Error {
  constructor(
    readonly code: ScheduleRefusedCode,
    message: string,
  ) {
    super(message);
    this.name = 'ScheduleRefused';
  }
}
