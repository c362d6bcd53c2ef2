# Who is who in the node: keys, certificates, tokens and kubeconfigs. In: D, NODE, NODE_IP; the working directory is D.
# Out: pki/, tokens.csv, {admin,controllers,scheduler,kubelet,kube-proxy,dns}.kubeconfig, admin.token.
mkdir -p pki
(
  cd pki
  key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
  signed() {
    key "$1"
    openssl req -new -key "$1.key" -subj "$2" |
      openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" -extfile <(printf '%b' "$3") 2>/dev/null
  }
  key ca
  openssl req -x509 -new -key ca.key -subj /CN=node-ca -days 30 -out ca.crt
  names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  signed apiserver /CN=kube-apiserver "subjectAltName=IP:127.0.0.1,IP:$NODE_IP,IP:10.96.0.1,$names"
  signed kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client extendedKeyUsage=clientAuth
  signed kubelet "/O=system:nodes/CN=system:node:$NODE" "subjectAltName=IP:$NODE_IP,DNS:$NODE\nextendedKeyUsage=serverAuth,clientAuth"
  openssl genrsa -out sa.key 2048 2>/dev/null
  openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
)
identity() {
  local token
  token=$(openssl rand -hex 16)
  echo "$token,$2,$2,\"${3:-}\"" >>tokens.csv
  echo "$token" >"$1.token"
  cat >"$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{ name: node, cluster: { server: "https://$NODE_IP:6443", certificate-authority: "$D/pki/ca.crt" } }]
users: [{ name: user, user: { token: "$token" } }]
contexts: [{ name: node, context: { cluster: node, user: user } }]
current-context: node
YAML
}
identity admin admin system:masters
identity controllers controllers system:masters
identity scheduler system:kube-scheduler
identity kubelet "system:node:$NODE" system:nodes
identity kube-proxy system:kube-proxy
identity dns dns system:masters
