// Package bench measures what the product promises, as ratios within one run: machines differ and are
// noisy, ratios hold. `make bench` runs it.
package bench
