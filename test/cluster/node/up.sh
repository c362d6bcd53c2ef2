#!/bin/bash
# Brings up a Kubernetes node of its own: namespaces, cgroups, a folder, nothing else of the machine is touched.
# In: a new folder; TOOLS (folder of the programs), IMAGES (archives to import, one path a line), perhaps OWNER (a process whose end, however it
# comes, ends the node). Out: ready when it returns 0;
# init.pid in the folder is the process to enter (nsenter); otherwise the reason on stderr, and what was begun is taken down.
set -eu
here=$(dirname "$(readlink -f "$0")")
D=$1 group=parley-$(basename "$1")
mkdir -p "$D"
# The node's cgroup. On version 1 there is one tree for each controller, and cpuset starts empty.
# A cgroup weighs as much as one process, whatever runs in it: this one is given the weight of ten.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mkdir "/sys/fs/cgroup/$group"
  echo 1000 >"/sys/fs/cgroup/$group/cpu.weight" 2>/dev/null || true
else
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
    [ -d /sys/fs/cgroup/$controller ] || continue
    mkdir -p "/sys/fs/cgroup/$controller/$group"
    [ $controller = cpuset ] || continue
    for file in cpuset.cpus cpuset.mems; do cat "/sys/fs/cgroup/cpuset/$file" >"/sys/fs/cgroup/cpuset/$group/$file"; done
  done
  echo 10240 >"/sys/fs/cgroup/cpu/$group/cpu.shares"
fi
setsid unshare --net --mount --pid --uts --ipc --fork --kill-child=KILL --mount-proc --propagation private \
  bash "$here/init.sh" "$D" "$group" >"$D/init.log" 2>&1 </dev/null &
outer=$!
echo $outer >"$D/outer.pid"
end=$((SECONDS + ${UP_LIMIT:-180}))
until [ -s "$D/init.pid" ] || ! kill -0 $outer 2>/dev/null; do
  inner=$(pgrep -P $outer || true)
  [ -z "$inner" ] || echo "$inner" >"$D/init.pid"
  sleep 0.02
done
until [ -e "$D/ready" ]; do
  if ! kill -0 $outer 2>/dev/null || [ $SECONDS -ge $end ]; then
    echo "the node did not come up; its last words, of $D/init.log:" >&2
    tail -20 "$D/init.log" >&2
    "$here/down.sh" "$D"
    exit 1
  fi
  sleep 0.05
done
if [ -n "${OWNER:-}" ]; then
  setsid bash -c 'while [ -e "$2" ] && kill -0 "$0"; do sleep 1; done; exec "$1/down.sh" "$2"' "$OWNER" "$here" "$D" >/dev/null 2>&1 </dev/null &
fi
