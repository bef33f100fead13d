package pagetest

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/chromedp/chromedp"
)

// sheetOf begins each page of a PDF that Chromium writes, which does not compress what is not content.
var sheetOf = regexp.MustCompile(`/Type\s*/Page\b`)

// Print prints what is open and counts the pages.
func Print(ctx context.Context, paper chromedp.PaperSize) (pdf []byte, pages int, err error) {
	pdf, err = chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(paper), chromedp.PDFPreferCSSPageSize()))
	if err != nil {
		return nil, 0, fmt.Errorf("print: %w", err)
	}
	return pdf, len(sheetOf.FindAll(pdf, -1)), nil
}

// Printed is the text of a PDF. ok is false where poppler-utils are not installed.
func Printed(ctx context.Context, pdf []byte) (text string, ok bool, err error) {
	path, err := exec.LookPath("pdftotext")
	if err != nil {
		return "", false, nil //nolint:nilerr // whoever asks looks at the page itself
	}
	cmd := exec.CommandContext(ctx, path, "-", "-")
	cmd.Stdin = strings.NewReader(string(pdf))
	out, err := cmd.Output()
	if err != nil {
		return "", true, fmt.Errorf("read a PDF: %w", err)
	}
	return string(out), true, nil
}
