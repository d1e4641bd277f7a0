package sheet

import (
	"embed"
	"html/template"
	"io"
)

//go:embed page.html
var pages embed.FS

// HTML writes the sheet as one page that loads nothing. The template escapes every string of the report.
func (s *Sheet) HTML(w io.Writer) error {
	page, err := template.New("page.html").Funcs(template.FuncMap{
		"clean": Clean, "percent": percent, "power": power, "show": show,
	}).ParseFS(pages, "page.html")
	if err != nil {
		return err
	}
	return page.Execute(w, s)
}
