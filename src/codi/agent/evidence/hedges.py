"""What takes the claim out of a sentence: doubt, hope, negation, condition, order, future, and the words of others."""

import re

_IDIOMS = re.compile(
    r"\b(?:as (?:they|it|expected|intended|planned|before|usual|well)(?: should)?(?: be)?|if (?:needed|necessary|any)\b"
    r"|not only|(?:can|could) (?:now )?(?:also )?(?:confirm|report|say|see)|let me know\b.*|no longer|whether you\b.*)",
    re.IGNORECASE,
)
"""Words that look like doubt and are none."""

_LOCAL = re.compile(
    r"\b(?:should|would|could|might|may|can|must|ought|shall|will|probably|likely|presumably|hopefully|perhaps|maybe|possibly"
    r"|expect\w*|supposed|intend\w*|plan(?:ned|ning|s)?|going to|about to|needs?|have to|has to|try|tries|trying|attempt\w*|once"
    r"|until|unless|before|if|whether|when|whenever|assuming|provided|in case|so that|in order|seems?|appears?|looks? like"
    r"|almost|nearly|theoretically|in theory|untested|unverified|not|never|nor|neither|without|unable|hardly|none|nobody|no one|few|partially"
    r"|partly|make|makes? sure|get|getting|keep|keeps|keeping|want|wants|won|cannot|yet to|soon|next|later|todo)\b"
    r"|n['’]t\b|['’]ll\b|['’]d\b",
    re.IGNORECASE,
)
_GOVERNING = re.compile(
    r"\b(?:make sure|makes sure|making sure|ensur(?:e|es|ing)|check|checks|checking|verify|verifying|confirm|confirming|see|want"
    r"|wanted|hope|hoping|think|believe|assume|assuming|guess|suspect|expect|imagine|suppose|doubt|unsure|know|let me|let['’]s"
    r"|i['’]ll|i will|i['’]m going|please|you (?:can|could|should|may|might|need|must|will|want)|wait|waiting|until|whether|if"
    r"|unless|once|for example|for instance|e\.g|not sure|never|unable|task is|goal is|plan is|next step|remaining step|todo"
    r"|(?:did|do|does|have|has|had|was|were|is|are|could|can|would|will)(?:n['’]t| not)|cannot|without)\b",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"\b(?:you|users?|readme|docs?|documentation|issue|ticket|comments?|docstring|changelog|message|author|title|task|spec|plan"
    r"|description|badge|guide|instructions?|request|prompt)(?: [\w⟦⟧-]+){0,3}? "
    r"(?:say|says|said|claims?|claimed|states?|stated|reports?|reported|mentions?|mentioned|told|asserts?|asks?|asked"
    r"|requires?|required|wants?|suggests?|promises?|describes?|reads?)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"^(?:and |but |so |then |also,? )?(?:for example|for instance|e\.g|imagine|let me know|after (?:the |all |your )*(?:tests?|builds?|suite|checks?|lint\w*)\b"
    r"|if|once|unless|until|assuming|provided|suppose|whenever|as soon as|as long as|in case"
    r"|should you|after you|before you|when(?! (?:i|we) (?:ran|re-?ran|run)\b)(?! (?:run|running)\b)|before(?! \w+ing, (?:i|we)\b))\b",
    re.IGNORECASE,
)
_AFTERTHOUGHT = re.compile(
    r"^[\s,(–—-]*(?:(?:but|although|though|however)[\s,]+)?(?:"
    r"i (?:think|believe|guess|hope|assume|suspect|suppose|expect)|hopefully|presumably|probably|in theory|i['’]m (?:fairly|pretty|quite) sure"
    r"|as far as i|to my knowledge|if|once|unless|assuming|provided|as long as|when(?! run\b)|until|whenever|or (?:they|it|at least) should"
    r"|(?:but|though|although|however)?,? ?(?:i|this|that|it|they)(?: |['’])(?:did|do|have|has|had|could|was|were|is|am|can)?(?:n['’]t| not| never)"
    r"(?: been| yet| actually| able to)*\s*(?:run|re-?run|verif\w+|check\w*|test\w*|confirm\w*|execut\w+|try|tried))",
    re.IGNORECASE,
)  # fmt: skip
_PLAN = re.compile(
    r"(?:my |the )?(?:plan|next steps?|steps|todo|goals?|tasks?|acceptance criteria|requirements?)\b[^:]*:",
    re.IGNORECASE,
)
_DOUBT = re.compile(
    r"[,(–—-] ?(?:i (?:think|believe|guess|hope|assume|suspect)|hopefully|presumably|probably|in theory)\b",
    re.IGNORECASE,
)
_NONE = re.compile(r"\bno (?:\w+ )?$", re.IGNORECASE)
_STRONG = re.compile(
    r"[;:]|,\s+(?:and|so|but|then|yet)\b|\bbut\b|\bthough\b|\balthough\b|\bhowever\b|\bbecause\b|\bnow that\b", re.I
)
_WEAK = re.compile(r",|\band\b|\bwhile\b|\bso\b|\bsince\b|[()]|\bwhich\b", re.I)


def is_hedged(words: str, begin: int, end: int) -> bool:
    """Whether what stands at `begin` to `end` of a sentence is no plain assertion."""
    if (
        _CONDITION.match(words.lstrip())
        or _PLAN.match(words)
        or _DOUBT.search(words, end)
        or _NONE.search(words, 0, begin)
    ):
        return True
    words = _IDIOMS.sub(lambda match: " " * len(match.group()), words)
    if _REPORTED.search(words[:begin]):
        return True
    strong = max((match.end() for match in _STRONG.finditer(words, 0, begin)), default=0)
    if _GOVERNING.search(words[strong:begin]):
        return True
    weak = max((match.end() for match in _WEAK.finditer(words, strong, begin)), default=strong)
    first = min(
        (match.start() for match in (_STRONG.search(words, end), _WEAK.search(words, end)) if match), default=len(words)
    )
    return _LOCAL.search(words[weak:first]) is not None or _AFTERTHOUGHT.match(words[end:]) is not None
