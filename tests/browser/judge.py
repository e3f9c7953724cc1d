"""Somebody who looks at pages, one after the other."""

from tests.browser.window import Window


class Judge:
    """Looks at one page after the other and says in the end what was wrong with which."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.wrong: list[str] = []

    def look(self, name: str) -> None:
        """The page as it stands."""
        self.wrong += self.window.look(name)

    def open(self, path: str, heading: str, status: int = 200) -> None:
        """An address, and the heading that proves that it is the page we mean."""
        with self.window.refusal(status if status >= 400 else 0):
            self.window.open(path)
        self.window.titled(heading)
        self.look(path)

    def press(self, button: str, heading: str, status: int = 200) -> None:
        """A button, and the heading of what comes."""
        with self.window.refusal(status if status >= 400 else 0):
            self.window.press(button)
            self.window.titled(heading)
        self.look(f"{button} → {heading}")
