// No Go code: these modules hold the CRDs of kinds that the chart renders. All of them can be read by Go 1.26.
module parley.dev/test/tools/crds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
