"""The line that holds the answer to the last question, and a sign while one is being looked for."""

from enum import Enum

from textual.content import Content
from textual.widget import Widget


class Tone(Enum):
    """What kind of sentence it is; each has a sign in front."""

    ANSWER = ("", "bold")
    PROBLEM = ("! ", "$error bold")
    BUSY = ("… ", "$warning bold")


class AnswerLine(Widget):
    """One sentence, on up to two lines; it stays until the next one."""

    DEFAULT_CSS = "AnswerLine { height: 2; background: $panel; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__(id="answer")
        self.text = ""
        self.tone = Tone.ANSWER
        self.work = ""

    def say(self, text: str) -> None:
        """Show an answer."""
        self._show(text, Tone.ANSWER)

    def complain(self, text: str) -> None:
        """Show why something did not work."""
        self._show(" ".join(text.split()), Tone.PROBLEM)

    def start(self, task: str) -> None:
        """Tell what is being worked on; the last answer comes back when that ends without one."""
        self.work = task
        self.refresh()

    def finish(self) -> None:
        """Take the sign of work away."""
        self.work = ""
        self.refresh()

    def _show(self, text: str, tone: Tone) -> None:
        self.text, self.tone, self.work = text, tone, ""
        self.refresh()

    def render(self) -> Content:
        """The sentence with its sign."""
        text, tone = (f"{self.work} (Esc gives up)", Tone.BUSY) if self.work else (self.text, self.tone)
        sign, style = tone.value
        return Content.assemble((sign, style), (text, style if tone is not Tone.ANSWER else ""))
