# Configurations of what runs on the node. In: D, GROUP, NODE, NODE_IP, POD_RANGE, SERVICE_RANGE, TOOLS; the working directory is D.
# Out: containerd.toml, the CNI list, api-server.sh, kubelet.yaml, kube-proxy.yaml, Corefile.
cat >containerd.toml <<TOML
version = 2
root = "$D/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/etc/cni/net.d"
TOML
mkdir -p /etc/cni/net.d
cat >/etc/cni/net.d/10-bridge.conflist <<JSON
{ "cniVersion": "1.0.0", "name": "pods", "plugins": [
  { "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
    "ipam": { "type": "host-local", "dataDir": "/var/lib/cni/networks", "ranges": [[{ "subnet": "$POD_RANGE" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "portmap", "capabilities": { "portMappings": true } } ] }
JSON
# A file of its own, so that a test can end the API server and start it again.
cat >api-server.sh <<SH
exec "$TOOLS/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --advertise-address=$NODE_IP --secure-port=6443 \\
  --tls-cert-file=pki/apiserver.crt --tls-private-key-file=pki/apiserver.key --cert-dir=api \\
  --service-cluster-ip-range=$SERVICE_RANGE --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \\
  --token-auth-file=tokens.csv --client-ca-file=pki/ca.crt --allow-privileged=true \\
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \\
  --service-account-signing-key-file=pki/sa.key --service-account-key-file=pki/sa.pub \\
  --kubelet-client-certificate=pki/kubelet-client.crt --kubelet-client-key=pki/kubelet-client.key \\
  --kubelet-certificate-authority=pki/ca.crt --kubelet-preferred-address-types=InternalIP
SH
echo "nameserver $NODE_IP" >resolv.conf
cat >kubelet.yaml <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$GROUP
failCgroupV1: false
failSwapOn: false
clusterDNS: ["$NODE_IP"]
clusterDomain: cluster.local
resolvConf: $D/resolv.conf
authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: "$D/pki/ca.crt" } }
authorization: { mode: Webhook }
tlsCertFile: $D/pki/kubelet.crt
tlsPrivateKeyFile: $D/pki/kubelet.key
evictionHard: { memory.available: 100Mi, nodefs.available: 0%, nodefs.inodesFree: 0%, imagefs.available: 0%, imagefs.inodesFree: 0% }
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
volumePluginDir: $D/volume-plugins
serializeImagePulls: false
eventRecordQPS: 0
kubeAPIQPS: 100
kubeAPIBurst: 200
YAML
cat >kube-proxy.yaml <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: { kubeconfig: "$D/kube-proxy.kubeconfig" }
clusterCIDR: $POD_RANGE
hostnameOverride: $NODE
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
# Not writable in a network namespace: left as they are.
conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s }
nftables: { minSyncPeriod: 100ms }
YAML
cat >Corefile <<COREFILE
.:53 {
  bind $NODE_IP
  errors
  ready 127.0.0.1:8182
  kubernetes cluster.local {
    kubeconfig $D/dns.kubeconfig
    ttl 1
  }
  cache 1
}
COREFILE
