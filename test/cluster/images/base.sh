#!/bin/sh
# Makes an image like the official node:26-slim from Debian packages and a Node binary, for machines without an image registry.
# In: the image's name, the node binary, the version of npm; buildah's storage in CONTAINERS_STORAGE_CONF. Out: the image, in that storage.
set -eu
name=$1 node=$2 npm=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
debootstrap --variant=minbase --include=ca-certificates,libatomic1,libstdc++6 bookworm "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$work/log" 2>&1 || {
  tail -20 "$work/log" >&2
  exit 1
}
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/debconf/* "$root"/var/cache/ldconfig/* \
  "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/info "$root"/usr/share/locale
install -m 755 "$node" "$root/usr/local/bin/node"
strip "$root/usr/local/bin/node" 2>/dev/null || true
# What the machine trusts, a builder inside of the image trusts too: npm may be reached through a certificate of one's own.
cat /etc/ssl/certs/ca-certificates.crt >"$root/etc/ssl/certs/ca-certificates.crt"
npm install --global --prefix "$root/usr/local" --loglevel=error "npm@$npm"
echo 'node:x:1000:1000::/home/node:/bin/sh' >>"$root/etc/passwd"
echo 'node:x:1000:' >>"$root/etc/group"
container=$(buildah from scratch)
buildah copy --quiet "$container" "$root" / >/dev/null
buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --cmd node "$container"
buildah commit --quiet --rm "$container" "$name" >/dev/null
