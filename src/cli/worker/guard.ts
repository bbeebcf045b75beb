import { readFileSync } from 'node:fs';

/**
 * The line of POSIX sh that each command runs under, in the group of the command. It outlives the worker: it leaves the exit code in
 * the run's folder, and it ends the command when no worker has renewed the lease, because another may do the same work from then on.
 */
export const guard = `
# The folder of the run; after it the command with its arguments, which no shell ever reads as words of its own.
folder=$1
shift
# What this shell has to say itself ("Terminated") is none of the run's last words: 3 is the stderr of the command.
exec 3>&2 2>/dev/null

# In hundredths of a second, as the worker counts that wrote the end of the lease; the uptime never jumps.
look_at_the_clock() {
  if [ -r /proc/uptime ]; then
    IFS=' .' read -r seconds hundredths rest </proc/uptime
    now=$seconds$hundredths
  else
    now=$(date +%s)00
  fi
}

# Once a second; a lease that cannot be read is not renewed either. A group that is to end ends without waiting for this.
watch_the_lease() {
  trap '' HUP INT QUIT
  trap '[ -e "$folder/exit" ] && exit' TERM
  end=0
  while :; do
    read -r end <"$folder/lease"
    look_at_the_clock
    if [ "$now" -ge "$end" ]; then
      echo >"$folder/over"
      kill -KILL 0
    fi
    sleep 1
  done
}

# Signals are for the command: this shell stays to tell how it took them.
trap : HUP INT QUIT TERM
watch_the_lease >/dev/null 3>&- &
# Written before the command begins, so that a command which runs can be found.
echo "$$ $!" >"$folder/pids"
# exec, so that a command called "exit" or "cd" is looked for as a file and is not a word of this shell.
(exec "$@") 2>&3 3>&-
code=$?
# Whole or not at all: a worker may look at any moment.
echo "$code $(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$folder/exit.new" && mv "$folder/exit.new" "$folder/exit"
exit "$code"
`;

/** The clock of the guard, in hundredths of a second: of no meaning but between processes of this machine, and since its start. */
export function guardClock(): number {
  try {
    return Number(readFileSync('/proc/uptime', 'utf8').split(' ', 1)[0]?.replace('.', ''));
  } catch {
    return Math.floor(Date.now() / 1_000) * 100;
  }
}

/** It looks once a second, and what it ends must have ended before the lease has. */
export const guardIsEarlierBy = 150;
