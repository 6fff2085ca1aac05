"""Findings as JSON, for programs; docs/findings.md describes it."""

from typing import TypeAlias

from tracedbg.detect.analysis import Analysis
from tracedbg.detect.finding import Code, Evidence, Finding, StackUse, Victim, Writer

VERSION = 1

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def analysis_json(analysis: Analysis) -> Json:
    """Return an analysis; addresses are hexadecimal strings, for they need not fit a double."""
    return {
        "version": VERSION,
        "clean": analysis.is_clean,
        "findings": [finding_json(finding) for finding in analysis.findings],
        "checks": [
            {"detector": checked.detector, "text": check.text, "done": check.is_done}
            for checked in analysis.checked
            for check in checked.checks
        ],
        "failures": list(analysis.failures),
    }


def finding_json(finding: Finding) -> dict[str, Json]:
    """Return one finding, those related to it inside."""
    return {
        "detector": finding.detector,
        "severity": finding.severity.value,
        "certainty": finding.certainty.value,
        "title": finding.title,
        "why": finding.why,
        "story": finding.paragraph,
        "t": finding.t,
        "physical_address": _address(finding.physical_address),
        "virtual_addresses": [
            {"address": hex(place.address), "root": _address(place.root or None)}
            for place in finding.virtual_addresses
        ],
        "owner": None if finding.owner is None else {"kind": finding.owner.kind, "text": finding.owner.text},
        "stack": None if finding.stack is None else _stack(finding.stack),
        "writer": None if finding.writer is None else _writer(finding.writer),
        "victim": None if finding.victim is None else _victim(finding.victim),
        "consumers": [_evidence(part) for part in finding.consumers],
        "chain": [_evidence(part) for part in finding.chain],
        "related": [finding_json(part) for part in finding.related],
    }


def _address(address: int | None) -> Json:
    return None if address is None else hex(address)


def _bytes(content: bytes | None) -> Json:
    return None if content is None else content.hex()


def _code(code: Code) -> dict[str, Json]:
    return {"pc": hex(code.pc), "symbol": code.symbol, "file": code.file, "line": code.line or None}


def _stack(stack: StackUse) -> Json:
    return {
        "name": stack.name,
        "base": _address(stack.base),
        "base_source": stack.base_source,
        "top": hex(stack.top),
        "lowest_sp": hex(stack.lowest_sp),
        "task": stack.task,
    }


def _writer(writer: Writer) -> Json:
    return {
        "t": writer.t,
        "hart": writer.hart,
        **_code(writer.code),
        "sp": _address(writer.sp),
        "backtrace": [_code(code) for code in writer.backtrace],
    }


def _victim(victim: Victim) -> Json:
    return {
        "physical_address": hex(victim.physical),
        "size": victim.size,
        "before": _bytes(victim.before),
        "after": _bytes(victim.after),
        "name": victim.name,
    }


def _evidence(evidence: Evidence) -> Json:
    code: dict[str, Json] = {} if evidence.code is None else _code(evidence.code)
    return {
        "t": evidence.t,
        "role": evidence.role,
        "text": evidence.text,
        "hart": evidence.hart,
        **code,
        "physical_address": _address(evidence.physical),
        "virtual_address": _address(evidence.virtual),
        "size": evidence.size,
        "before": _bytes(evidence.before),
        "after": _bytes(evidence.after),
    }
