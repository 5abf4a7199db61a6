"""Which sentences may stand in a digest: those that tell something of the matter by themselves.

A sentence lifted out of its article loses its neighbours. What leans on them ("This allows it to …"),
sends the reader elsewhere, greets, asks somebody to do something, supposes an example or speaks of the
text's own course tells a reader of the digest nothing, however many words it shares with the rest.
"""

from __future__ import annotations

import re

from core.language import words

_WHAT = r"(?:article|paper|work|post|blog post|guide|tutorial|document|page|pep|rfc|proposal)"
_OF_ITSELF = re.compile(
    rf"(?:in )?this {_WHAT}\b|이(?:번)? (?:글|문서|포스트|포스팅|튜토리얼|논문)", re.I
)
# What needs its neighbours to be understood.
_LEANS = re.compile(
    r"^[\"'“‘(]?(?:(?:this|that|these|those|it|they|he|she|its|their|his|her|both|such|one such|another|each of|one of "
    r"(?:them|these|those)|the (?:former|latter|same|above)|but|so|and|or|nor|yet|then|here|however|also|instead|"
    r"thus|hence|therefore|consequently|meanwhile|besides|likewise|similarly|otherwise|still|again|indeed|"
    r"furthermore|moreover|additionally|specifically|in particular|in addition|in contrast|in fact|in other words|"
    r"in (?:this|that|such|these|those|both) (?!"
    + _WHAT
    + r")|on the other hand|as a result|of course|to this end|to do so|to \w+ (?:this|these|those|such)|"
    r"by doing (?:this|so)|that said|for (?:example|instance|this|that)|despite|although|while|unfortunately|"
    r"fortunately|luckily|surprisingly|interestingly|finally|lastly|next|now|first|firstly|second|secondly|third|"
    r"yes|no|well|ok|okay|note|as always|as for|as (?:shown|outlined|seen|you can see|mentioned|discussed|described|noted|stated)|"
    r"just as|if (?:this|that|these|those|it|they|so|not)|after (?:\w+ing|that|this|you|we)|once (?:you|we|the|it)|with (?:this|that|these))\b)",
    re.I,
)
_LEANS_KO = re.compile(
    r"^(?:그러나|하지만|그리고|그런데|그래서|그러므로|그러면|그럼|그렇|그리하여|그 (?!자체)|그다음|그중|그때|따라서|때문에|또한|또는|또|즉[, ]|"
    r"이는|이것|이를|이런|이러한|이러면|이렇|이처럼|이때|이후|이 외|이외|이제|이로[써서]|이(?:에|와|로|미) |이 (?!글|문서|포스트|포스팅|튜토리얼|논문)|"
    r"예를 들|예컨대|다만|다행|물론|사실|실제로|결국|반면|한편|특히|덕분|당시|우선(?!순위)|먼저|마지막|다음|위(?:의|와|에서?)? |아래|"
    r"앞서|앞에서|해당 |여기|기존에는|첫 ?번째|두 ?번째|세 ?번째|첫째|둘째|셋째|왜냐|게다가|더불어|만약 |참고로)"
)
# What points at something beside it, or sends the reader elsewhere.
_POINTS = re.compile(
    r"^examples? \d|\(see\b|\bsee (?:section|chapter|figure|below|above|also)|\b(?:figure|listing|table) \d|"
    r"\b(?:the|as) (?:following|above)\b|\b(?:below|above)[.:]?$|:$|"
    r"위 (?:그림|코드|예제|예시|표|결과|스크립트|사진)|(?:다음|아래) (?:그림|코드|예제|예시|표|사진)|(?:다음|아래)(?:와|과) 같|이(?:와|과) 같은",
    re.I,
)
_ELSEWHERE = re.compile(
    r"^(?:see|refer to|visit|consult|read) |\bplease (?:read|see|visit|refer|consult|check)\b|\b(?:learn|read) more\b|"
    r"\b(?:for|has|have) (?:more|further|complete|full)(?: and \w+)? (?:details?|information)\b|"
    r"\bcheck out (?:the|our|its|what)\b|"
    r"\b(?:see|read|visit|consult) (?:the|our|its)\b.{0,40}\b(?:documentation|docs|notes|page|guide|website|blog|readme)\b|\bcan be found (?:here|at|in|on)\b|"
    r"\brefer to (?:the|our)\b.{0,40}\b(?:documentation|docs|guide)\b|\bdocumentation covers\b|\byou(?:'ll|’ll| will| can) find\b|"
    r"자세한 (?:내용|정보|사항|설명)|더 (?:알아보|자세히)|(?:참고|참조|확인)(?:하세요|하십시오|하시기|해 ?주세요|하면 ?(?:된다|됩니다))",
    re.I,
)
_GREETS = re.compile(
    r"^(?:hello|hi|hey|welcome|greetings|congratulations|thanks|thank you|please)\b|\bthanks (?:to|for)\b|\bthank you[!.]*$|\b(?:I|we)(?:['’]d| would)?(?: like to)? thank\b|"
    r"안녕하세요|반갑습니다|감사(?:합니다|드립니다|드려요)|구독.{0,6}좋아요",
    re.I,
)
# What asks for something, or wishes.
_CALLS = re.compile(
    r"\blet us know\b|\bfeel free\b|\breach out\b|\bsign up\b|\bstay tuned\b|\bjoin (?:us|the)\b|\bplease consider\b|"
    r"\bgive (?:it|them) a try\b|\blove to hear\b|\bwe (?:hope|want to thank|welcome)\b|"
    r"\bhappy (?:coding|hacking)\b|\bclick\b|\bfollow (?:us|me)\b|\blet['’]s\b|\byou can help\b|\bleave feedback\b|"
    r"\b(?:file|open) an? (?:issue|bug)\b|^if you (?:find|have|encounter|notice|discover|run into) (?:an?y? |some )?(?:bugs?|issues?|problems?|questions?|feedback|suggestions?)\b|"
    r"(?:바랍니다|부탁드립니다|기대해 ?주세요|지원해 ?주세요|문의해 ?주세요|해 ?보세요|보시죠|하세요|주세요)[.!]?$",
    re.I,
)
_SUPPOSES = re.compile(
    r"^(?:suppose|imagine|say|assume|recall|remember|consider) |"
    r"(?:가정해|상상해|생각해|떠올려|살펴|알아)\s?(?:보자|봅시다|보겠습니다|보도록|볼까요|보세요)|가정(?:합니다|하자|해보|하겠습니다)|"
    r"(?:기억할|보았|살펴본|말했|언급했|설명했)\s?(?:수 있)?듯이",
    re.I,
)
# Where the text is on its own way.
_COURSE = re.compile(
    r"\b(?:in|of) (?:this|the (?:next|previous|last)) (?:section|part|chapter|step|example)\b|"
    r"\b(?:the )?(?:next|previous) (?:section|chapter|step)\b|\blater in this\b|\bobvious next\b|\bwe(?: have|['’]ve)? (?:already )?(?:seen|learned|talked about)\b|"
    r"(?:다음|이전|앞|뒤) ?(?:절|장|섹션|글|포스트|세션|단계)(?:에서|에는|로|은|의)|넘어가|마치며|마치겠|^지금까지 |^그림 ?\d|"
    r"(?:소개|이야기|설명|공유|정리)(?:를|을)? ?(?:해 ?|드려 ?)?(?:보았|봤|드렸)|"
    r"지난 ?(?:글|편|포스트|시간|\w*블로그)|\d편에서",
    re.I,
)
# A step of instructions tells what to do at a place where the reader of a digest is not.
_STEP = re.compile(
    r"^(?:go (?:back )?to|open|choose|select|enter|press|type|navigate|run|copy|paste|scroll|log in|sign in|"
    r"repeat|set|fill|save|close|expand|create|add|download|install|verify|make sure|ensure|use the|start) |"
    r"^in the .{2,60}\b(?:tab|window|page|dialog|menu|field|cockpit|section|pane|view)\b|"
    r"^(?:in|on|from|at|under) .{2,80}?, (?:go|choose|click|select|display|deploy|enter|open|press|type|navigate|run|set|add|"
    r"create|check|search)\b|^you(?:'ll|’ll| will)? (?:need|have) to ",
    re.I,
)
# Formulas and marks of a page's language are not read in a chat.
_RESIDUE = re.compile(r"\$\$|\]\(|\]\[|\{[:%{]|\\\w")
# What is left of a list: "Helps bring in …" has no subject, "The board for allowing us to …" no verb.
_TORN = re.compile(
    r"^(?:Helps|Allows|Enables|Makes|Lets|Gives|Provides|Brings|Adds|Removes|Fixes|Improves|Supports|Ensures|Avoids|"
    r"Prevents|Contains|Includes|Requires|Handles|Takes|Keeps|Describes|Defines|Specifies|Represents|Determines|"
    r"Indicates|Implements|Introduces|Extends|Offers|Allowed|Added|Fixed|Removed|Improved|Updated|Changed) "
    r"|^(?:(?:[Tt]o|[Mm]y|[Tt]he|[Oo]ur|[Aa]ll|[Ee]veryone|and|team|folks|people|at|of|@?[A-Z][\w./@’'-]*),? ){1,9}"
    r"for (?:providing|allowing|helping|sponsoring|making|giving|supporting|letting|being|contributing|reviewing|working|"
    r"maintaining|hosting|taking|sharing)\b"
)
_NOTHING = (_RESIDUE, _POINTS, _ELSEWHERE, _GREETS, _CALLS, _SUPPOSES, _COURSE, _STEP, _TORN)
# Parts of an article that are not about its matter.
_ASIDE = re.compile(
    r"(?:\d+[.)]?\s*)?(?:pre-?requisites?|before (?:you|we) (?:begin|start)|references?|bibliography|acknowledge?ments?|"
    r"further reading|see also|related (?:posts|articles|links)|about the authors?|next steps|"
    r"사전 ?(?:지식|준비|요구 ?사항|조건)|준비물|참고 ?(?:문헌|자료|링크)?|출처|관련 글|다음 단계)\s*$",
    re.I,
)
# "This article describes …" is true of any words that stand in the article.
_FRAME = re.compile(r"^this (?:article|post|page|document|tutorial|guide) \w+s\b", re.I)


def unframed(text: str) -> str:
    """A sentence without the frame in which a text speaks of itself."""
    return _FRAME.sub("", text)


def points(text: str) -> bool:
    """Whether a sentence cannot do without a figure, a list or a passage that stands beside it."""
    return _POINTS.search(text) is not None


# "X does not make a database fast by magic": what it is not is no beginning.
_DENIES = re.compile(
    r"^(?:\S+ ){1,6}?(?:(?:do|does|did|is|are|was|were) not|\w+n['’]t|cannot)\b", re.I
)


def denies(text: str) -> bool:
    """Whether a sentence begins by saying what is not so."""
    return _DENIES.match(text) is not None


def beside(heading: str) -> bool:
    """Whether what stands under a heading is beside the matter: references, prerequisites, thanks."""
    return _ASIDE.match(heading) is not None


def alone(text: str) -> bool:
    """Whether a sentence tells something of the matter, and can be understood without neighbours."""
    if text.startswith(("(", "[", "^")) or text.rstrip("\"'”’).").endswith("?"):
        return False
    leans = _LEANS.match(text) or _LEANS_KO.match(text)
    if leans and not _OF_ITSELF.match(text):
        return False
    return not any(pattern.search(text) for pattern in _NOTHING)


# How Korean authors say what a text is about, nearly always in one of their first paragraphs.
_TELLS_KO = r"(?:소개|설명|공유|다루|다룹|다룬|알아|살펴|정리|이야기|얘기|말씀|공개|비교|기록|안내)"
_ANNOUNCES_KO = re.compile(
    r"(?:(?:이|이번|본) ?(?:글|문서|포스트|포스팅|튜토리얼|시리즈|페이지|장)|오늘|이번 시간)(?!과|의).*"
    + _TELLS_KO
    + r"|(?:경험|과정|방법|내용|사례)(?:을|를|에 대해서?|에 관해) ?(?:간단히 |간략히 |자세히 |한번 )?"
    r"(?:소개|공유|설명|정리)(?:합니다|하겠|하려|하고자|해 ?보|해 ?드리|드리)"
)
_DENIES_KO = re.compile(
    r"그런 (?:일|것|문제|경우)|지 않(?:습니다|겠습니다|는다|았|을)|생략|다음 ?(?:글|편|포스트)|이전 ?(?:글|편|포스트)"
)


# "이 글을 통해 그 과정을 소개합니다" names no subject: two words at least must be of the matter.
_NAMED = 2
_ANY_TEXT_KO = frozenset(
    "글 문서 포스트 포스팅 게시물 시리즈 페이지 장 시간 오늘 지금 이번 해당 관련 통하 대하 관하 과정 경험 방법 내용 사례 배경 기능 "
    "이야기 소개 설명 공유 다루 다룹 알아보 살펴보 정리 드리 하 되 보 간단히 간략히 자세히 구체 개발 최근 가장 험난 지난 내부".split()
)


def announces(text: str) -> bool:
    """Whether a Korean sentence says what its text is about: "이 글에서는 …을 소개합니다"."""
    if _ANNOUNCES_KO.search(text) is None or text.rstrip().endswith("?"):
        return False
    return not (_DENIES_KO.search(text) or _RESIDUE.search(text)) and (
        len(set(words(text, "ko")) - _ANY_TEXT_KO) >= _NAMED
    )
