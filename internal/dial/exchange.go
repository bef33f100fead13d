package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

var (
	// ErrConnect means that no connection came about: the server has certainly not acted on the
	// request.
	ErrConnect = errors.New("connection failed")
	// ErrTooLarge refuses an answer beyond its cap.
	ErrTooLarge = errors.New("answer is larger than its cap")
	// errBroken is a fault of the network that is not known by another name.
	errBroken = errors.New("connection broke off")
)

// StatusError is an answer other than 200.
type StatusError int

// Error returns for example "status 404".
func (e StatusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// Passing reports whether what Get or Exchange came back with may pass by itself: the server could
// not be reached or did not answer, said that it is at fault or that it is busy. Whatever one of our
// own rules has refused does not pass.
func Passing(err error) bool {
	var status StatusError
	if errors.As(err, &status) {
		return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
	}
	return !errors.Is(err, ErrURL) && !errors.Is(err, ErrRedirect) && !errors.Is(err, ErrAddress) &&
		!errors.Is(err, ErrTooLarge)
}

// Get reads a JSON document of at most limit bytes and the head that came with it.
func Get(ctx context.Context, client *http.Client, address string, limit int64) (
	body []byte, header http.Header, err error,
) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, ErrURL
	}
	request.Header.Set("Accept", "application/json")
	status, header, body, err := Exchange(client, request, limit)
	if err == nil && status != http.StatusOK {
		err = StatusError(status)
	}
	if err != nil {
		return nil, nil, err
	}
	return body, header, nil
}

// Exchange sends a request and reads the whole answer, of whatever status, of at most limit bytes.
func Exchange(client *http.Client, request *http.Request, limit int64) (
	status int, header http.Header, body []byte, err error,
) {
	request.Header.Set("User-Agent", "equitylens")
	answer, err := client.Do(request) //nolint:gosec // G704: its transport has the guard.
	if err != nil {
		return 0, nil, nil, Fault(request.Context(), err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return 0, nil, nil, Fault(request.Context(), err)
	}
	if int64(len(body)) > limit {
		return 0, nil, nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
	}
	return answer.StatusCode, answer.Header, body, nil
}

// Fault puts an error of the network into words of our own: those of net/http quote URLs, Location
// headers and bytes of answers.
func Fault(ctx context.Context, err error) error {
	var (
		certificate *tls.CertificateVerificationError
		errno       syscall.Errno
		wait        net.Error
		connect     *net.OpError
	)
	switch {
	case errors.Is(err, ErrRedirect):
		return ErrRedirect
	case errors.Is(err, ErrAddress):
		for errors.As(err, &connect) {
			err = connect.Err // The guard's own words say which kind of address it was.
		}
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &connect) && connect.Op == "dial":
		return ErrConnect
	case errors.As(err, &certificate):
		return errors.New("verify the server's certificate")
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &wait) && wait.Timeout():
		return errors.New("timed out")
	}
	return errBroken
}
