package visit

import (
	"net/http"

	"github.com/equitylens/equitylens/server"
	"github.com/equitylens/equitylens/server/page"
)

// Routes are the addresses of people, for the server's table.
func (d *Desk) Routes() []server.Page {
	const own, comes = "shows what the session of the browser may see, and sends others to sign in",
		"it is here that people come in"
	session := func(method, path string, handle http.HandlerFunc) server.Page {
		return server.Page{Method: method, Path: path, Session: own, Handler: handle}
	}
	public := func(path string, handle http.HandlerFunc) server.Page {
		return server.Page{Method: http.MethodGet, Path: path, Public: comes, Handler: handle}
	}
	return []server.Page{
		session(http.MethodGet, AccountPath, d.Account),
		session(http.MethodPost, SignOutPath, d.SignOut),
		session(http.MethodGet, ChartPrefix+"{handle:[A-Za-z0-9_-]{1,64}}", d.Chart),
		public(SignInPath, d.SignIn),
		public(SignInPath+"/{tenant:[A-Za-z0-9_.-]{1,64}}", d.SignInAt),
		public(LaunchPath, d.Launch),
		public(CallbackPath, d.Callback),
		{
			Method: http.MethodGet, Path: page.AssetPath + "{file:[A-Za-z0-9_.-]+}",
			Public: "the style of the pages", Handler: d.cfg.Pages.Assets(),
		},
	}
}
