// Package client speaks to one FHIR server as a registered backend service.
//
// It gets its own access token (SMART App Launch 2.2, Backend Services: client_credentials with
// private_key_jwt), sends requests, waits when the server asks it to, tries again when a fault is
// passing, and reads searches page by page. fhir/bulk builds exports on it.
//
// Four rules hold for every request, whoever asks for it:
//
//   - The token goes to the origin of the base URL and to those the configuration adds. Origin
//     means scheme, host and port, compared whole. A redirect that changes any of them loses it.
//   - Plain http is spoken with loopback alone, and only if the configuration says so. No redirect
//     leads from https to http.
//   - An address is checked when it is dialled, after the name was resolved: private, loopback,
//     link-local and metadata addresses are refused unless allowed, so that neither a redirect nor
//     a name that changes its mind reaches the inside of the network.
//   - An error names what was being done, the status and the issue codes. It holds no URL, no body
//     and no diagnostics text, because each of them may name a patient.
package client
