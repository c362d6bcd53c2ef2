// The processes of a pod, as the node sees them: a container's own tools could not send signals to its first process.

/** A shell script for the node that does something with each Node process (`$pid`) of a pod; it fails when there is none. */
export function processesOf(uid: string, what: string): string {
  return `found=
for folder in /proc/[0-9]*; do
  pid=\${folder#/proc/}
  if grep -qE 'pod${uid}' $folder/cgroup 2>/dev/null && readlink $folder/exe | grep -q '/node$'; then
    found=yes
    ${what}
  fi
done
[ -n "$found" ]`;
}
