#!/bin/bash
# The first process of the node, in namespaces of its own. In: the node's folder, the name of its cgroup; TOOLS, IMAGES.
# Out: `ready` in the folder once node, names and the default ServiceAccount are there, and api.socket; stays until it is killed.
set -eu
D=$1 GROUP=$2
here=$(dirname "$(readlink -f "$0")")
export D GROUP NODE=node-1 NODE_IP=172.30.0.1 POD_RANGE=10.244.0.0/16 SERVICE_RANGE=10.96.0.0/16
started=$(date +%s%N)
said() { echo "$((($(date +%s%N) - started) / 1000000)) ms: $*"; }

# Network: a link that ends nowhere carries the node's address, and a default route so that Service addresses are routable.
ip link set lo up
ip link add node0 type veth peer name node0-end
ip address add $NODE_IP/24 dev node0
ip link set node0-end up
ip link set node0 up
ip route add default via 172.30.0.254 dev node0 onlink
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
hostname $NODE

# Mounts: what kubelet, containerd and CNI write to folders that they know by name stays in the node's own folder.
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/lock
for path in /etc /var/lib /var/log; do
  mkdir -p "$D/mounts$path" "$D/mounts/work$path"
  mount -t overlay overlay -o "lowerdir=$path,upperdir=$D/mounts$path,workdir=$D/mounts/work$path" "$path"
done
mkdir -p /var/lib/kubelet /var/log/pods /var/log/containers
mount --make-rshared /
# kubelet wants three settings of the kernel, which are the whole machine's: it is shown files that hold them.
for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
  file=$D/mounts/$(basename "${setting%=*}")
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

cd "$D"
. "$here/identities.sh"
. "$here/configs.sh"
said "namespaces, certificates, configurations"

logged() {
  local name=$1
  shift
  "$@" >"$name.log" 2>&1 &
  echo $! >"$name.pid"
}
logged containerd containerd --config containerd.toml
logged etcd "$TOOLS/etcd" --data-dir etcd --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
  --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
  --initial-cluster default=http://127.0.0.1:2380 --unsafe-no-fsync --log-level=warn
logged kube-apiserver bash api-server.sh
until ctr -a /run/containerd/containerd.sock version >/dev/null 2>&1; do sleep 0.1; done
(
  echo "$IMAGES" | while read -r archive; do
    [ -z "$archive" ] || ctr -a /run/containerd/containerd.sock -n k8s.io images import --no-unpack "$archive" >>import.log 2>&1 || touch import.failed
  done
  touch imported
) &
until [ "$(curl -s -o /dev/null --cacert pki/ca.crt -H "Authorization: Bearer $(cat admin.token)" -w '%{http_code}' https://127.0.0.1:6443/readyz)" = 200 ]; do sleep 0.1; done
said "API server"
export KUBECONFIG=$D/admin.kubeconfig
logged kube-controller-manager "$TOOLS/kube-controller-manager" --kubeconfig=controllers.kubeconfig --authentication-kubeconfig=controllers.kubeconfig \
  --authorization-kubeconfig=controllers.kubeconfig --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt \
  --controllers=deployment-controller,replicaset-controller,statefulset-controller,daemonset-controller,job-controller,endpointslice-controller,endpoints-controller,namespace-controller,garbage-collector-controller,serviceaccount-controller,root-ca-certificate-publisher-controller,disruption-controller,horizontal-pod-autoscaler-controller,pod-garbage-collector-controller,node-lifecycle-controller,taint-eviction-controller,clusterrole-aggregation-controller \
  --node-monitor-grace-period=120s --leader-elect=false --bind-address=127.0.0.1 --cert-dir=controllers --allocate-node-cidrs=false
logged kube-scheduler "$TOOLS/kube-scheduler" --kubeconfig=scheduler.kubeconfig --authentication-kubeconfig=scheduler.kubeconfig \
  --authorization-kubeconfig=scheduler.kubeconfig --leader-elect=false --bind-address=127.0.0.1 --cert-dir=scheduler
logged kubelet "$TOOLS/kubelet" --config=kubelet.yaml --kubeconfig=kubelet.kubeconfig --node-ip=$NODE_IP --hostname-override=$NODE
logged kube-proxy "$TOOLS/kube-proxy" --config=kube-proxy.yaml
logged coredns "$TOOLS/coredns" -conf Corefile
# The API server for who is outside of this network, as administrator.
logged api-socket "$TOOLS/kubectl" proxy --unix-socket="$D/api.socket"
until "$TOOLS/kubectl" get node $NODE 2>/dev/null | grep -qw Ready; do sleep 0.2; done
said "node is Ready"
until curl -sf http://127.0.0.1:8182/ready >/dev/null; do sleep 0.1; done
until "$TOOLS/kubectl" get serviceaccount default >/dev/null 2>&1; do sleep 0.1; done
until [ -e imported ] && [ -S api.socket ]; do sleep 0.1; done
[ ! -e import.failed ] || { cat import.log; exit 1; }
said "names, default ServiceAccount, images: ready"
touch ready
trap 'exit 0' TERM
# Waits for children, so that none stays a zombie.
while :; do
  sleep 1000 &
  wait $!
done
