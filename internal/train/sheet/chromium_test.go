package sheet

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// chromium runs a headless browser in a folder of its own and returns what it prints.
func chromium(t *testing.T, dir string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	fixed := []string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1", "--user-data-dir=" + filepath.Join(dir, "profile")}
	out, err := exec.CommandContext(ctx, browser(), append(fixed, args...)...).Output()
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return string(out)
}

// browser is the path of a headless browser, or empty.
func browser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// TestPageRenders looks at the page as a browser shows it: it fits a phone, has ink, is dark where the reader wants it,
// and prints.
func TestPageRenders(t *testing.T) {
	if browser() == "" {
		t.Skip("no Chromium is installed")
	}
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	dir := t.TempDir()
	var page bytes.Buffer
	if err := New(honest(t, nil)).HTML(&page); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	url := write("page.html", page.String())
	frames := ""
	for _, width := range []int{320, 390, 768, 1280} {
		frames += fmt.Sprintf(`<iframe width="%d" height="800" style="border:0" srcdoc="%s"></iframe>`, width, html.EscapeString(page.String()))
	}
	dom := chromium(t, dir, "--dump-dom", "--virtual-time-budget=3000", write("frames.html", `<!doctype html><body>`+frames+`<script>
		onload = () => document.title = [...document.querySelectorAll("iframe")].map(f =>
			f.contentDocument.documentElement.scrollWidth <= f.width && f.contentDocument.querySelectorAll("svg path.line").length == 2 ? "fits" : "BROKEN").join(" ")
	</script>`))
	if !strings.Contains(dom, "<title>fits fits fits fits</title>") {
		t.Errorf("the page does not fit widths of 320, 390, 768 and 1280: %.120s", dom[max(0, strings.Index(dom, "<title>")):])
	}
	shot := func(name string, args ...string) (ink, brightness float64) {
		path := filepath.Join(dir, name)
		chromium(t, dir, append(args, "--window-size=1280,1600", "--screenshot="+path, url)...)
		return look(t, path)
	}
	ink, light := shot("light.png")
	if ink < 0.01 || ink > 0.2 || light < 0.8 {
		t.Errorf("in light: share of ink %.3f, brightness %.2f", ink, light)
	}
	if ink, dark := shot("dark.png", "--blink-settings=preferredColorScheme=0"); ink < 0.01 || ink > 0.2 || dark > 0.25 {
		t.Errorf("in the dark: share of ink %.3f, brightness %.2f", ink, dark)
	}
	pdf := filepath.Join(dir, "page.pdf")
	chromium(t, dir, "--no-pdf-header-footer", "--print-to-pdf="+pdf, url)
	content, err := os.ReadFile(pdf)
	if err != nil || !bytes.HasPrefix(content, []byte("%PDF-")) {
		t.Fatalf("no PDF: %v", err)
	}
	if pages := bytes.Count(content, []byte("/Type /Page\n")); pages < 2 || pages > 10 {
		t.Errorf("the page prints on %d pages, want 2 to 10", pages)
	}
}

// look returns the share of a picture's pixels that stand out from its mean brightness, and that brightness.
func look(t *testing.T, path string) (ink, brightness float64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	var pixels []float64
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			pixel := float64(color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y) / 255
			pixels = append(pixels, pixel)
			brightness += pixel
		}
	}
	brightness /= float64(len(pixels))
	for _, pixel := range pixels {
		if math.Abs(pixel-brightness) > 0.4 {
			ink++
		}
	}
	return ink / float64(len(pixels)), brightness
}
