"""The language of a request: asked for now, remembered, the person's, the browser's."""

from __future__ import annotations

from flask import Request, Response, current_app, g

from apm.core.command import Actor
from apm.core.i18n import LANGUAGES, speak

COOKIE = "lang"
YEAR = 365 * 24 * 3600


def choose_language(request: Request, actor: Actor) -> None:
    """Speak the language of this request until it ends."""
    asked = request.args.get("lang")
    g.asked_language = asked if asked in LANGUAGES else None
    remembered = request.cookies.get(COOKIE)
    browser = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "zh-TW", "en"])
    candidates = (
        g.asked_language,
        remembered if remembered in LANGUAGES else None,
        actor.language,
        browser[:2] if browser else None,
        current_app.config["APM_SETTINGS"].language,
    )
    speak(next(code for code in candidates if code))


def remember_language(response: Response) -> Response:
    """Keep what was asked for with `?lang=`."""
    if asked := g.get("asked_language"):
        response.set_cookie(COOKIE, asked, max_age=YEAR, samesite="Lax", httponly=True)
    return response
