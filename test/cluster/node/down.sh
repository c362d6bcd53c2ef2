#!/bin/bash
# Takes a node down: its first process is killed, and with it goes everything in its namespaces. In: the folder that up.sh had.
# Out: no process, mount, link, cgroup or file of it is left (KEEP_FOLDER=1 leaves the folder, for its logs).
set -u
D=$1 group=parley-$(basename "$1")
outer=$(cat "$D/outer.pid" 2>/dev/null || echo)
if [ -n "$outer" ]; then
  kill -9 "$(cat "$D/init.pid" 2>/dev/null || echo "$outer")" 2>/dev/null
  for _ in $(seq 200); do
    kill -0 "$outer" 2>/dev/null || break
    sleep 0.05
  done
fi
left() { find /sys/fs/cgroup -maxdepth 2 -type d -name "$group"; }
# A cgroup can be removed once the last of its processes is reaped.
for _ in $(seq 100); do
  [ -n "$(left)" ] || break
  left | while read -r folder; do find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null; done
  sleep 0.05
done
[ "${KEEP_FOLDER:-}" = 1 ] || rm -rf "$D"
if [ -n "$(left)" ]; then
  echo "left over: $(left)" >&2
  exit 1
fi
