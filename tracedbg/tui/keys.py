"""The keys: the left hand moves in time, the right hand asks."""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Key:
    """A key (Textual's names, by commas), the application's action, its text, and its group in the help."""

    keys: str
    action: str
    text: str
    group: str

    @property
    def binding(self) -> Binding:
        """The binding of the application."""
        return Binding(self.keys, self.action, self.text, show=False)

    @property
    def shown(self) -> str:
        """The keys as a person sees them on the keyboard."""
        return " ".join(NAMES.get(key, key) for key in self.keys.split(","))


NAMES = {
    "left_square_bracket": "[", "right_square_bracket": "]", "plus": "+", "equals_sign": "=", "minus": "-",
    "slash": "/", "question_mark": "?", "colon": ":", "ctrl+p": "Ctrl-P", "escape": "Esc", "left": "←",
    "right": "→", "up": "↑", "down": "↓", "pageup": "PgUp", "pagedown": "PgDn", "home": "Home", "end": "End",
    "ctrl+q": "Ctrl-Q", "comma": ",", "full_stop": ".", "apostrophe": "'", "B": "B",
}  # fmt: skip

TIME, ASK, FOUND, BYTES, VIEW, REST = (
    "Move in time (left hand)",
    "Ask about the selected bytes (right hand)",
    "Findings",
    "Select bytes",
    "Timeline",
    "Everything else",
)

KEYS = (
    Key("d", "step('INSTRUCTION_BACK')", "one instruction back", TIME),
    Key("f", "step('INSTRUCTION')", "one instruction forward", TIME),
    Key("e", "step('BLOCK_BACK')", "one block back", TIME),
    Key("r", "step('BLOCK')", "one block forward", TIME),
    Key("c", "step('OVER_BACK')", "back over a call", TIME),
    Key("v", "step('OVER')", "forward over a call", TIME),
    Key("s", "step('OUT_BACK')", "back to the call of this function", TIME),
    Key("g", "step('OUT')", "out of this function, to its caller", TIME),
    Key("a", "return_to", "back to where the last move began", TIME),
    Key("t,slash", "jump", "jump to a position: t, end-N, last-kernel, symbol#N, pc=ADDRESS", TIME),
    Key("home", "go('start')", "start of the trace", TIME),
    Key("end", "go('end')", "end of the trace", TIME),
    Key("i", "who", "who wrote them", ASK),
    Key("j", "ask('LAST_WRITE')", "go to their last write", ASK),
    Key("l", "ask('NEXT_WRITE')", "go to their next write", ASK),
    Key("u", "ask('LAST_READ')", "go to their last read", ASK),
    Key("o", "ask('NEXT_READ')", "go to their next read", ASK),
    Key("k", "watch", "give them a lane on the timeline, or take it away", ASK),
    Key("n", "findings", "what went wrong: list the findings; analyse a long trace", FOUND),
    Key("h", "counterpart", "from a finding's store to who used it, and back", FOUND),
    Key("left", "select(-1, 'byte')", "one byte down", BYTES),
    Key("right", "select(1, 'byte')", "one byte up", BYTES),
    Key("up", "select(-1, 'row')", "one row up", BYTES),
    Key("down", "select(1, 'row')", "one row down", BYTES),
    Key("pageup", "select(-1, 'page')", "one screenful up", BYTES),
    Key("pagedown", "select(1, 'page')", "one screenful down", BYTES),
    Key("m", "pick", "select an address, register or symbol", BYTES),
    Key("p", "address_space", "show them by physical address, or again by virtual", BYTES),
    Key("plus,equals_sign", "zoom(0.25)", "zoom in", VIEW),
    Key("minus", "zoom(4)", "zoom out", VIEW),
    Key("comma,left_square_bracket", "pan(-0.5)", "move to earlier times", VIEW),
    Key("full_stop,right_square_bracket", "pan(0.5)", "move to later times", VIEW),
    Key("0", "show_all", "the whole trace, or the cursor's surroundings", VIEW),
    Key("b", "bookmark", "put a bookmark at the cursor, or take it away", VIEW),
    Key("B,apostrophe", "next_bookmark", "go to the next bookmark", VIEW),
    Key("question_mark", "help", "this help", REST),
    Key("ctrl+p", "command_palette", "all commands by name", REST),
    Key("escape", "give_up", "give up the search that is running", REST),
    Key("q,ctrl+q", "quit", "leave", REST),
)
"""Every key of the screen, in the order of the help."""

HINT = "? help  d f step  c v over  s g out  t jump  i who  j l write  n findings  u o read  + - zoom  q quit"
"""The most used keys, for the screen's last line."""
