package dashboard

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// captioned puts a text into a PNG, where those who cannot see it, and programs that search, find it: an
// iTXt chunk behind the header (https://www.w3.org/TR/png-3/#11iTXt). ok is false of what is no PNG.
func captioned(picture []byte, text string) (out []byte, ok bool) {
	const (
		signature = "\x89PNG\r\n\x1a\n"
		// The header is a chunk of 13 bytes; each chunk has its length, its type and its checksum besides.
		header = len(signature) + 4 + 4 + 13 + 4
	)
	if len(picture) < header || !bytes.HasPrefix(picture, []byte(signature)) {
		return nil, false
	}
	// Keyword, no compression of method 0, no language tag, no translated keyword.
	content := append([]byte("iTXtDescription\x00\x00\x00\x00\x00"), text...)
	out = append(out, picture[:header]...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(content)-len("iTXt"))) // #nosec G115 -- a few sentences
	out = append(out, content...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(content))
	return append(out, picture[header:]...), true
}
