"""``python -m tracedbg`` is the command ``tracedbg``."""

import sys

from tracedbg.cli.main import main

sys.exit(main())
