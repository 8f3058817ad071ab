"""The engine's own pages for people: a device's log-in, and that of the development provider.

They are made of fixed texts in two languages; whatever comes from elsewhere is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arcrun_server.store.device_logins import DeviceLogin

    # Names of providers, or AGAIN, each with where it leads.
    Links = Sequence[tuple[str, str]]

Problem = Literal["refused", "not-pending", "bad-name", "provider-failed"]
AGAIN = "again"

ENGLISH, CHINESE = "en", "zh-Hant"

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:10vh auto;padding:0 1rem;"
    "color:light-dark(#14161c,#f2f3f5);background:light-dark(#fff,#0b0c10)}"
    "h1{font-size:1.5rem}dt{font-weight:600}dd{margin:0 0 .75rem}label{display:block;margin:1rem 0}"
    "input{font:inherit;padding:.5rem;width:100%;box-sizing:border-box}"
    "button,a.button{font:inherit;padding:.6rem 1.2rem;margin:.25rem .5rem .25rem 0;display:inline-block;"
    "border:1px solid;border-radius:.4rem;background:none;color:inherit;text-decoration:none;cursor:pointer}"
    "button.main,a.button{background:light-dark(#3b46c4,#a3adff);color:light-dark(#fff,#0b0c10)}"
    "code{overflow-wrap:anywhere}:focus-visible{outline:3px solid light-dark(#3b46c4,#a3adff);outline-offset:2px}"
)
_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_TEXTS = {
    ENGLISH: {
        "title": "Log in a device",
        "log-in-first": "Log in first. For your safety, this takes a log-in of the last ten minutes.",
        "with": "Log in with {provider}",
        "no-provider": "This engine has no log-in provider. Its operator can make a key with: arcrun-server keys create",
        "enter": "Enter the code that your device shows.",
        "code": "Code",
        "continue": "Continue",
        "unknown": "No device waits for this code. Check it, or begin again on the device: a code is valid for ten minutes and once.",
        "too-often": "Too many codes were tried. Wait a few minutes, then try again.",
        "confirm": "Is this your device?",
        "warning": (
            "Whoever holds this device gets your API key, with which they can use everything in your account. "
            "Continue only if you have just begun this log-in yourself. Nobody else should have sent you the code."
        ),
        "device": "Device",
        "no-name": "(no name)",
        "address": "Asked from",
        "asked-at": "Asked at",
        "approve": "Yes, log it in",
        "deny": "No, refuse it",
        "approved": "The device is logged in. You can close this page.",
        "denied": "The device was refused. You can close this page.",
        "dev-title": "Development log-in",
        "dev": "This engine runs in development mode: choose who you are. Each name has an account of its own.",
        "dev-as": "Log in as {name}",
        "dev-other": "Another name",
        "failed": "The log-in did not succeed",
        "refused": "The log-in was refused or cancelled at {provider}. Nothing has changed: you can begin again.",
        "not-pending": (
            "This log-in was begun in another browser, has ended already, or took longer than 10 minutes. Begin again."
        ),
        "bad-name": "A name has 1 to 64 small letters, digits, hyphens and underscores.",
        "provider-failed": "{provider} did not complete the log-in. Try again later; if that does not help, tell the operator of this engine:",
        "again": "Begin again",
    },
    CHINESE: {
        "title": "登入裝置",
        "log-in-first": "請先登入。為了您的安全，必須在十分鐘內登入過。",
        "with": "使用 {provider} 登入",
        "no-provider": "此引擎未設定登入方式。管理者可以用 arcrun-server keys create 建立金鑰。",
        "enter": "請輸入裝置上顯示的代碼。",
        "code": "代碼",
        "continue": "繼續",
        "unknown": "沒有裝置在等待這個代碼。請檢查，或在裝置上重新開始：代碼十分鐘內有效，且只能使用一次。",
        "too-often": "嘗試次數過多。請等幾分鐘再試。",
        "confirm": "這是您的裝置嗎？",
        "warning": (
            "持有此裝置的人會得到您的 API 金鑰，可以使用您帳號中的一切。"
            "只有在您自己剛剛開始登入時才繼續；這個代碼不應該是別人傳給您的。"
        ),
        "device": "裝置",
        "no-name": "（未命名）",
        "address": "請求來源",
        "asked-at": "請求時間",
        "approve": "是，登入此裝置",
        "deny": "否，拒絕",
        "approved": "裝置已登入。您可以關閉此頁。",
        "denied": "已拒絕裝置。您可以關閉此頁。",
        "dev-title": "開發登入",
        "dev": "此引擎處於開發模式：請選擇您的身分。每個名稱都有自己的帳號。",
        "dev-as": "以 {name} 登入",
        "dev-other": "其他名稱",
        "failed": "登入未成功",
        "refused": "登入已在 {provider} 被拒絕或取消。一切維持原狀，您可以重新開始。",
        "not-pending": "這次登入是在其他瀏覽器開始的、已經結束，或超過 10 分鐘。請重新開始。",
        "bad-name": "名稱須為 1 到 64 個小寫字母、數字、連字號或底線。",
        "provider-failed": "{provider} 未能完成登入。請稍後再試；若仍然失敗，請告知此引擎的管理者：",
        "again": "重新開始",
    },
}
_NAMES = {"google": "Google", "github": "GitHub", "dev": "development"}


@dataclass(frozen=True)
class Page:
    """A page of HTML.

    Args:
        html: All of it.
        language: Its language.
        style_hash: What a Content-Security-Policy says to allow its style.
    """

    html: str
    language: str
    style_hash: str = _STYLE_HASH


def language_of(accepted: str) -> str:
    """Return the language of a page for a header `Accept-Language`: the first of ours that it names.

    Example:
        >>> language_of("zh-TW,zh;q=0.9,en;q=0.8"), language_of("de")
        ('zh-Hant', 'en')
    """
    for part in accepted.lower().split(","):
        tag = part.partition(";")[0].strip()
        if tag.startswith("zh"):
            return CHINESE
        if tag.startswith("en"):
            return ENGLISH
    return ENGLISH


class Pages:
    """Makes pages in one language.

    Args:
        accepted: The header `Accept-Language`.
    """

    def __init__(self, accepted: str) -> None:
        self.language = language_of(accepted)
        self._texts = _TEXTS[self.language]

    def log_in_first(self, links: Links) -> Page:
        """Return the page of a device's log-in for somebody who has to log in.

        Args:
            links: The names of providers, and where each begins.
        """
        if not links:
            return self._page("title", self._paragraph("no-provider"))
        buttons = self._buttons(links)
        return self._page("title", self._paragraph("log-in-first") + buttons)

    def enter_code(self, form_token: str, code: str = "", problem: str | None = None) -> Page:
        """Return the page with a field for the code.

        Args:
            form_token: Of the session.
            code: What the field holds.
            problem: Which text to show above it: `unknown` or `too-often`.
        """
        form = (
            f'<label>{self._text("code")}<input name="user_code" value="{escape(code)}" required autofocus '
            'autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="32"></label>'
            f'<button class="main" name="action" value="show">{self._text("continue")}</button>'
        )
        alert = f'<p role="alert">{self._text(problem)}</p>' if problem else ""
        return self._page("title", alert + self._paragraph("enter") + self._form(form_token, form))

    def confirm(self, form_token: str, code: str, device: DeviceLogin, asked_at: str) -> Page:
        """Return the page that shows what asks to be logged in."""
        facts = (
            ("device", device.client_name or self._texts["no-name"]),
            ("address", device.address),
            ("asked-at", asked_at),
            ("code", code),
        )
        shown = "".join(
            f"<dt>{self._text(key)}</dt><dd>{escape(value)}</dd>" for key, value in facts
        )
        form = (
            f'<input type="hidden" name="user_code" value="{escape(code)}">'
            f'<button class="main" name="action" value="approve">{self._text("approve")}</button>'
            f'<button name="action" value="deny">{self._text("deny")}</button>'
        )
        return self._page(
            "confirm", f"<dl>{shown}</dl>{self._paragraph('warning')}{self._form(form_token, form)}"
        )

    def ended(self, outcome: str) -> Page:
        """Return the page after a decision: `approved` or `denied`."""
        return self._page("title", f'<p role="status">{self._text(outcome)}</p>')

    def development_login(self, state: str, names: Sequence[str]) -> Page:
        """Return the page of the development provider."""
        buttons = "".join(
            f'<button class="main" name="name" value="{escape(name)}">'
            f"{escape(self._texts['dev-as'].format(name=name))}</button>"
            for name in names
        )
        hidden = f'<input type="hidden" name="state" value="{escape(state)}">'
        chosen = f'<form method="post" action="/auth/dev/login">{hidden}{buttons}</form>'
        other = (
            f'<form method="post" action="/auth/dev/login">{hidden}<label>{self._text("dev-other")}'
            '<input name="name" required maxlength="64" pattern="[a-z0-9_\\-]+"></label>'
            f"<button>{self._text('continue')}</button></form>"
        )
        return self._page("dev-title", self._paragraph("dev") + chosen + other)

    def failed(self, problem: Problem, links: Links, *, detail: str = "") -> Page:
        """Return the page of a log-in that did not succeed.

        Args:
            problem: Why.
            links: Where it can begin again: the names of providers, or `again`, each with its URL.
            detail: More for the operator, as a sentence of the engine.
        """
        provider = _NAMES.get(links[0][0], "") if links else ""
        reason = escape(self._texts[problem].format(provider=provider))
        more = f'<p lang="en"><code>{escape(detail)}</code></p>' if detail else ""
        return self._page("failed", f'<p role="alert">{reason}</p>{more}{self._buttons(links)}')

    def _buttons(self, links: Links) -> str:
        return "".join(
            f'<p><a class="button" href="{escape(url)}">{self._label(name)}</a></p>'
            for name, url in links
        )

    def _label(self, name: str) -> str:
        if name == AGAIN:
            return self._text(AGAIN)
        return escape(self._texts["with"].format(provider=_NAMES[name]))

    def _text(self, key: str) -> str:
        return escape(self._texts[key])

    def _paragraph(self, key: str) -> str:
        return f"<p>{self._text(key)}</p>"

    def _form(self, form_token: str, content: str) -> str:
        hidden = f'<input type="hidden" name="form_token" value="{escape(form_token)}">'
        return f'<form method="post" action="/auth/device">{hidden}{content}</form>'

    def _page(self, title: str, content: str) -> Page:
        heading = self._text(title)
        html = (
            f'<!doctype html><html lang="{self.language}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{heading} · arcrun</title><style>{_STYLE}</style></head>"
            f"<body><main><h1>{heading}</h1>{content}</main></body></html>"
        )
        return Page(html, self.language)
