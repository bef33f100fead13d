package server

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics holds what /metrics shows of the server. A label is a template, a method we know or a
// status, so that neither a caller nor a patient can add one.
type metrics struct {
	duration *prometheus.HistogramVec
}

func newMetrics(cfg Config) (*metrics, error) {
	m := &metrics{duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "equitylens_http_request_duration_seconds",
		Help:    "Time from the first byte of a request to the last of its answer.",
		Buckets: []float64{.001, .005, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"method", "route", "status"})}
	for _, collector := range []prometheus.Collector{m.duration, newSnapshotAge(cfg)} {
		if err := cfg.Registry.Register(collector); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) observe(method string, e *event, took time.Duration) {
	m.duration.WithLabelValues(knownMethod(method), e.route, strconv.Itoa(e.status)).
		Observe(took.Seconds())
}

// snapshotAge shows how old the data are, and nothing at all where there are none: an age of 0
// would read as fresh.
type snapshotAge struct {
	snapshots Snapshots
	now       func() time.Time
	desc      *prometheus.Desc
}

func newSnapshotAge(cfg Config) *snapshotAge {
	return &snapshotAge{snapshots: cfg.Snapshots, now: cfg.Now, desc: prometheus.NewDesc(
		"equitylens_snapshot_age_seconds",
		"Time since the moment of the data that are being served; absent where there are none.",
		nil, nil)}
}

// Describe implements prometheus.Collector.
func (a *snapshotAge) Describe(out chan<- *prometheus.Desc) { out <- a.desc }

// Collect implements prometheus.Collector.
func (a *snapshotAge) Collect(out chan<- prometheus.Metric) {
	current, ok := a.snapshots.Current()
	if !ok || current.DataAsOf.IsZero() {
		return
	}
	out <- prometheus.MustNewConstMetric(a.desc, prometheus.GaugeValue,
		a.now().Sub(current.DataAsOf).Seconds())
}
