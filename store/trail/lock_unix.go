//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package trail

import (
	"errors"
	"os"
	"syscall"
)

// lock waits until no other process holds the file.
func lock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX) // #nosec G115 -- a descriptor is small
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// unlock lets the next one in.
func unlock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // #nosec G115 -- a descriptor is small
}
