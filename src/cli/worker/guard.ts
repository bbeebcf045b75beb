import { readFileSync } from 'node:fs';

/**
 * The line of POSIX sh that each command runs under, in the group of the command. It outlives the worker: it leaves the exit code in
 * the run's folder, and it ends the command when no worker has renewed the lease, because another may do the same work from then on.
 */
export const guard = `
# The folder of the run; after it the command with its arguments, which no shell ever reads as words of its own.
folder=$1
shift
# What this shell has to say itself ("Terminated") is none of the run's last words.
exec >/dev/null 2>&1

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

# The command writes to pipes, as it would to a worker, and may open them anew as /dev/stderr; what comes out of them is put into
# files, so that no worker has to be there. That goes on to the last word, whatever is sent to the group.
carry() {
  trap '' HUP INT QUIT TERM
  exec cat -u <"$1" >>"$2"
}

# Signals are for the command: this shell stays to tell how it took them.
trap : HUP INT QUIT TERM
watch_the_lease &
watch=$!
mkfifo "$folder/out" "$folder/err"
carry "$folder/out" "$folder/stdout" &
out=$!
carry "$folder/err" "$folder/stderr" &
# Written before the command begins, so that a command which runs can be found.
echo "$$ $watch $out $!" >"$folder/pids"
# exec, so that a command called "exit" or "cd" is looked for as a file and is not a word of this shell.
(exec "$@") >"$folder/out" 2>"$folder/err"
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
