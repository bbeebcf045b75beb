/**
 * The shell text under which each command runs: `sh -c <text> ledger-run <run's folder> <command> <arguments…>`, as the leader of
 * a process group. It outlives the worker, so that the end of the command is known whoever is there to see it. POSIX sh, no more.
 *
 * An environment variable whose name is no identifier may not pass through a shell; nothing else of the command's is changed.
 */
export const commandShell = `
folder=$1
shift

# What is sent to the group is meant for the command. A handler, unlike "ignore", is not inherited by it.
trap : HUP INT QUIT TERM USR1 USR2

# The shell's own remarks, such as "Killed", are no words of the command.
exec 3>&2 2>/dev/null

# The watch: without a worker that renews the lease, the group does not live on beyond it. A lease that cannot be read is over.
# It does not listen to what ends the command, but to USR1; its sleep is ended with it, so that it never holds the group open.
(
  trap '' HUP INT QUIT TERM
  trap 'kill -KILL $!; wait; exit' USR1
  exec >/dev/null 3>&-
  while :; do
    sleep 1 &
    wait $!
    if read -r now rest </proc/uptime; then now=\${now%%.*}; else now=$(date +%s); fi
    read -r end <"$folder/lease" || end=0
    [ "$now" -lt "$end" ] || kill -KILL 0
  done
) &
watch=$!

# The command: exec, so that it is never one of the shell's own words.
(exec "$@" 2>&3 3>&-)
code=$?

# Its end, whole or not at all, before anything else can go wrong.
echo "$code $(date +%s)" >"$folder/exit.new" && mv "$folder/exit.new" "$folder/exit"

kill -USR1 $watch
wait $watch

# A worker ends what the command left running; where there is none any more, it ends here.
kill -0 $PPID || kill -KILL 0
exit $code
`;
