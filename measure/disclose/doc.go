// Package disclose x.
package disclose
