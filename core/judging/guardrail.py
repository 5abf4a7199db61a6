"""What we post must be fit to be posted: safe, neutral, and nothing the article did not bring.

Each sentence is looked at for seven kinds of trouble. Mentions, links and secrets are taken out
of it and the rest is kept; an instruction to a model, abuse, danger and advertising cannot be
taken out, so the whole sentence goes. Rules rather than a model: every decision can be told in
a word, costs microseconds, and does not change with what else was posted. Technical language is
full of killing, slaves, bombs and injection; the cases in `data/guard_cases.jsonl` hold both
sides (`python -m training guard` reads them).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Trouble = Literal["injection", "mention", "secret", "link", "abuse", "danger", "advertising"]
# These stand for themselves and can be taken out of a sentence that is otherwise fine.
_REMOVABLE: frozenset[Trouble] = frozenset({"mention", "secret", "link"})


@dataclass(frozen=True, slots=True)
class Guarded:
    """`text` is what may be posted, "" where nothing may; `troubles` says what was found."""

    text: str
    troubles: tuple[Trouble, ...]

    @property
    def dropped(self) -> bool:
        return not self.text


class Guard:
    """Made for one article: what it links to may be linked to, what it describes may be told."""

    def __init__(self, article: str, url: str | None = None) -> None:
        self._links = {_link_key(found) for found in _LINK.findall(article)}
        if url:
            self._links.add(_link_key(url))

    def check(self, text: str) -> Guarded:
        troubles = tuple(kind for kind, finds in self._checks() if finds(text))
        if any(kind not in _REMOVABLE for kind in troubles):
            return Guarded("", troubles)
        return Guarded(self._cleaned(text) if troubles else text, troubles)

    def _checks(self) -> Iterator[tuple[Trouble, Callable[[str], bool]]]:
        yield "injection", _is_injection
        yield "mention", lambda text: bool(_mentions(text))
        yield "secret", lambda text: bool(_secrets(text))
        yield "link", lambda text: bool(self._strange_links(text))
        yield "abuse", lambda text: _ABUSE.search(text) is not None
        yield "danger", lambda text: _DANGER.search(text) is not None
        yield "advertising", _is_advertising

    def _strange_links(self, text: str) -> list[str]:
        return [found for found in _LINK.findall(text) if _link_key(found) not in self._links]

    def _cleaned(self, text: str) -> str:
        for found in self._strange_links(text):
            text = text.replace(found, "")
        for found in _secrets(text):
            text = text.replace(found, "…")
        for found in _mentions(text):
            text = text.replace(found, found.strip("<>@!&#"))
        text = re.sub(r"\(\s*\)|\[\s*\]", "", text)
        return re.sub(r"\s+([.,;:!?)])", r"\1", " ".join(text.split()))


_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'`)\]]+[^\s<>\"'`)\].,;:!?가-힣]", re.I)


def _link_key(link: str) -> str:
    """Without scheme, www, fragment and closing slash: what makes two links the same place."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", link.strip().rstrip(".,;:!?"), flags=re.I)
    return bare.split("#")[0].rstrip("/").lower()


_MENTION = re.compile(
    r"<[@!#][!&]?[\w^|.-]+>"
    r"|(?<![\w/.`@])@(?:here|everyone|channel|all|team|group)\b(?!/)"
    r"|(?<![\w/.`@(])@[A-Za-z][\w.-]{2,30}\b(?![/(@.\w])"
)
# Decorators, annotations, CSS rules and the like are written with an @ and call nobody.
_CODE_AT = re.compile(
    r"@(?:Override|Deprecated|Autowired|Component|Bean|Test|Entity|Service|Controller|Inject|Nullable|NonNull|Transactional"
    r"|property|staticmethod|classmethod|dataclass|media|import|keyframes|font-face|supports|layer|container|param|returns?"
    r"|throws|see|since|author|types|latest|next|app|pytest|task|cached?|lru_cache|wraps|abstractmethod|State|Binding|Published"
    r"|[A-Z]\w*(?:Mapping|Bean|Test|Value|Query|Column|Id))\b"
)
_ABOUT_CODE = re.compile(
    r"\b(?:decorator|annotation|at-rule|directive|tag|JSDoc|package|scope)s?\b|데코레이터|애너테이션|어노테이션|패키지"
)


def _mentions(text: str) -> list[str]:
    found = [m.group() for m in _MENTION.finditer(text)]
    if _ABOUT_CODE.search(text):
        found = [m for m in found if m.startswith("<") or m[1:] in _CALLING]
    return [m for m in found if m.startswith("<") or not _CODE_AT.fullmatch(m)]


_CALLING = frozenset(("here", "everyone", "channel"))
_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}\b|\bgithub_pat_\w{20,}\b|\bglpat-[\w-]{16,}"
    r"|\bxox[abposr]-[\w-]{10,}|\bsk-(?:proj-|ant-)?[\w-]{20,}|\bsk_live_\w{12,}"
    r"|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}|\bhf_[A-Za-z0-9]{20,}|\bnpm_[A-Za-z0-9]{20,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{6,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]*-----END [A-Z ]*PRIVATE KEY-----)?"
    r"|(?<=://)[\w.-]+:[^\s@/:]{4,}(?=@)"
)
_ASSIGNED = re.compile(
    r"(?:password|passwd|pwd|secret|api[_ -]?key|token|비밀번호|암호|토큰)(?:\s*(?:is|은|는|=|:)\s*|\s+)"
    r"[\"'`]?(?P<value>[^\s\"'`,;<>가-힣]{8,})",
    re.I,
)
_PLACEHOLDER = re.compile(
    r"example|your|placeholder|change.?me|xxx|\*\*\*|\.\.\.|…|<|\$|\{|dummy|sample|redacted|1234567890|abcdef",
    re.I,
)


def _secrets(text: str) -> list[str]:
    known = [m.group() for m in _SECRET.finditer(text)]
    assigned = [m.group("value").rstrip(".)") for m in _ASSIGNED.finditer(text)]
    return [s for s in known if not _PLACEHOLDER.search(s)] + [
        s for s in assigned if _looks_secret(s)
    ]


def _looks_secret(value: str) -> bool:
    """Letters and digits mixed as no word is, and no placeholder."""
    mixed = bool(re.search(r"\d", value)) and bool(re.search(r"[A-Za-z]", value))
    odd = bool(re.search(r"[!@#%^&*]", value)) or len(re.findall(r"\d", value)) >= 2
    return mixed and odd and not _PLACEHOLDER.search(value) and not _VERSIONED.search(value)


# "token OAuth2-based", "secret v1.29.0", "password bcrypt12": names and versions.
_VERSIONED = re.compile(
    r"^v?\d+(?:\.\d+)+|^(?:OAuth|SHA|MD|AES|RSA|UTF|RFC|HTTP|base|bcrypt|argon)[-\w]*\d", re.I
)
_ORDER = (
    r"(?:please |now |kindly |first,? )?(?:ignore|disregard|forget|override|bypass) "
    r"(?:all |any |everything |your |the |of |these |those )*(?:previous|prior|above|earlier|preceding|system|safety|original|initial)?"
    r" ?(?:instruction|prompt|rule|guideline|direction|message|context|command)s?"
)
_INJECTION = re.compile(
    rf"(?:^|[.!?:;\"“'\n]\s*|\b(?:and|then|but|so|,) ?){_ORDER}"
    r"|<\|?/?(?:im_start|im_end|system|endoftext|assistant|user|eot_id|start_header_id)\|?>|\[/?INST\]|<</?SYS>>"
    r"|^\s*(?:###? ?)?(?:system|assistant|instruction)s?(?: prompt| message)?\s*:"
    r"|\b(?:as|i am|i'm) an? (?:ai|large|artificial) (?:language |intelligence )?(?:model|assistant)\b"
    r"|^(?:you are|you're) now (?:an?|in|the|free|dan)\b|\b(?:you must|you will|you should) (?:now )?(?:act|respond|reply|answer|pretend|behave) (?:as|only|with|like)\b"
    r"|^(?:please )?(?:act|pretend|roleplay|respond|reply|answer) (?:as|only with|like|to be)\b"
    r"|\b(?:reveal|print|output|repeat|show|leak|tell me) (?:me )?(?:your|the) (?:system|hidden|initial|secret|original) (?:prompt|instructions?|rules)"
    r"|(?:^|[.!?;] )do not (?:summari[sz]e|mention|tell)\b.{0,60}\b(?:article|users?|readers?|instead|this)\b"
    r"|\b(?:note|message|attention|dear|hey|hello),? (?:to |for )?(?:the |any |all )?(?:ai|llm|language model|assistant|summari[sz]er|chatbot|bot)s?\b"
    r"|\bwhen (?:you )?summari[sz](?:e|ing) this\b|\b(?:say|state|write|conclude|tell (?:the )?(?:users?|readers?)) that (?:this|the) (?:product|article|site|company|library) is (?:the )?(?:best|safe|excellent)"
    r"|\bdeveloper mode (?:enabled|on)\b|\bjailbr(?:eak|oken) mode\b"
    r"|(?:이전|앞선|위의|기존|지금까지의|모든|시스템)\s*(?:의\s*)?(?:모든\s*)?(?:지시|명령|프롬프트|규칙|지침|안내)(?:사항)?(?:들)?(?:을|를|은|는)?\s*(?:모두\s*|전부\s*|다\s*)?(?:무시|잊|따르지)(?:하고|하세요|하십시오|해라|해 줘|해줘|하라|어라|으세요|어버려|고|해)(?!\s*(?:라는|는 공격|도록|만들))"
    r"|(?:시스템|숨겨진|초기)\s*프롬프트(?:를|을)?\s*(?:그대로\s*)?(?:출력|공개|보여|알려|말해)(?:하세요|하라|해|줘|주세요|달라)"
    r"|(?:너는|당신은|넌)\s*(?:이제|지금)(?:부터)?|인공지능\s*(?:언어\s*)?모델(?:로서|인 저)|AI\s*(?:언어\s*)?모델(?:로서|인 저)"
    r"|(?:AI|봇|모델|요약기|어시스턴트)(?:에게|야|님)[,:]?\s*(?:알립니다|지시|명령|부탁)|요약하지\s*말고|요약\s*대신"
    r"|(?:라고만|로만)\s*(?:대답|답|응답|출력)(?:하세요|하라|해라|해)",
    re.I | re.M,
)
# What tells of such an instruction gives none: "attackers write 'ignore previous instructions'".
_TELLING = re.compile(
    r"\b(?:attack(?:s|ers?)?|injection|jailbreaks?|malicious|adversar\w+|payload|phrases?|such as|like|e\.g\.|for example|contain(?:s|ing)?"
    r"|detect\w*|filter\w*|prevent\w*|defen[cds]\w*|guardrails?|instructs|tells|told|asks|trick\w*|tries|telling|classif\w+|template|format|token)\b"
    r"|공격|인젝션|탈옥|악의적|페이로드|문구|예를 들|탐지|필터|방어|막|라는|템플릿|토큰|형식",
    re.I,
)


def _is_injection(text: str) -> bool:
    return _INJECTION.search(text) is not None and _TELLING.search(text) is None


_ABUSE = re.compile(
    r"\b(?:fuck\w*|motherf\w+|shit(?:ty|head|s)?|bullshit|bitch\w*|asshole\w*|bastards?|cunts?|dickheads?|wankers?|pricks?|whores?|sluts?"
    r"|faggots?|retard(?:s|ed)|niggers?|kikes?|spics?|chinks?|trann(?:y|ies))\b"
    r"|\b(?:you(?:'re| are)?|only|all|those|these|such|what an?|bunch of|complete|total|absolute|utter) (?:\w+ ){0,3}(?:idiots?|morons?|imbeciles?|stupid|losers?|scum|vermin|subhuman|trash people|garbage people)\b"
    r"|\b(?:idiots?|morons?|imbeciles?|scumbags?)\b(?! ?-?proof)"
    r"|\b(?:women|men|girls|blacks?|asians?|jews|muslims|christians|immigrants|indians|koreans|chinese|gays?|foreigners|old people|disabled people) (?:\w+ ){0,3}"
    r"(?:cannot|can't|can ?not|are too|are all|are naturally|should not|shouldn't|do not deserve|don't deserve|are inferior|ruin|are worse)\b"
    r"|\b(?:go back to your country|shut up|kill yourself|kys)\b|\bporn\w*\b|\bnudes?\b|\bsexy? (?:girls?|women|videos?|photos?|chat)\b|\bhot (?:girls?|singles)\b|\bexplicit sex\w*\b"
    r"|씨발|시발(?!점|역)|ㅅㅂ|개새끼|병신|지랄|좆|존나|미친\s*(?:놈|년|새끼)|꺼져|닥쳐|쓰레기\s*같은\s*(?:인간|놈|사람|년)|멍청(?:이|한\s*(?:놈|사람|것|개발자))|바보\s*같은\s*(?:놈|사람|개발자)|한심한\s*(?:놈|인간|사람|개발자)"
    r"|(?:김치녀|된장녀|한남충|맘충|틀딱|짱깨|쪽바리|깜둥이|급식충)|(?:여자|남자|여성|남성|외국인|노인|장애인|흑인|조선족|이민자)(?:들)?(?:은|는)\s*(?:\S+\s+){0,3}(?:못\s*한|열등|멍청|필요\s*없|쫓아|자격이?\s*없|하면\s*안)"
    r"|야동|포르노|음란물\s*(?:보기|다운|공유)|조건\s*만남|성인\s*(?:사이트|방송)\s*(?:추천|접속|가입)",
    re.I,
)
_DANGER = re.compile(
    r"\b(?:how to|steps? to|ways? to|guide to|instructions? (?:for|to)|recipe for|you can|to) (?:\w+ ){0,3}(?:make|build|mak\w+|build\w+|assembl\w+|synthesi[sz]\w+|cook|produc\w+) (?:\w+ ){0,3}"
    r"(?:pipe bombs?|bombs?|explosives?|meth\w*|nerve gas|sarin|ricin|napalm|nail bombs?|silencers?|ghost guns?|poison gas|chemical weapons?|detonators?)\b"
    r"|\b(?:kill|murder|shoot|stab|poison|lynch|hang|behead|hurt|beat up|burn) (?:your|his|her|the|all|those|these|every|my|our) (?:\w+ )?(?:boss|coworkers?|colleagues?|neighbou?rs?|wife|husband|family|people|politicians?|immigrants|jews|muslims|classmates?|teachers?|kids|children|parents|ex)\b(?! process| thread| node| task)"
    r"|\b(?:end|take|taking|ending) your (?:own )?life\b|\bcommit(?:ting)? suicide\b|\bcut(?:ting)? (?:yourself|your wrists)\b|\bpainless(?:ly)? (?:way to )?(?:die|death)\b|\boverdos\w+ on (?:pills|painkillers|sleeping)\b"
    r"|\b(?:buy|order|sell(?:ing)?|get) (?:cheap )?(?:cocaine|heroin|meth|fentanyl|weed|mdma|stolen (?:credit )?cards?|fake passports?|counterfeit|a hitman|child)\b"
    r"|\b(?:steal|drain|empty) (?:\w+ )?(?:people's|victims?'?s?|someone's|their|customers'?|your (?:boss|neighbou?r)'s) (?:\w+ )?(?:passwords?|money|accounts?|wallets?|cards?|identit\w+)\b"
    r"|\b(?:stalk|spy on|track) (?:your|a|an|his|her) (?:ex|girlfriend|boyfriend|wife|husband|partner)\b|\bchild (?:porn\w*|abuse material)\b"
    r"|(?:사제\s*)?(?:폭탄|폭발물|폭약|총기|독가스|신경가스|필로폰|마약|대마초?)(?:을|를)?\s*(?:집에서\s*|직접\s*|쉽게\s*)?(?:만드는|제조|만들|제작|구하는|구매|판매|팝니다|삽니다)"
    r"|(?:상사|동료|가족|아내|남편|이웃|친구|사람(?:들)?|아이(?:들)?|선생님?|전\s*(?:여자|남자)\s*친구|그들)(?:을|를)\s*(?:모두\s*|다\s*)?(?:죽이|죽여|살해|찔러|때려|스토킹|독살)"
    r"|자살(?:하는|을|하려|\s*방법)|자해(?:하는|를|\s*방법)|목숨을\s*끊|손목을\s*긋"
    r"|(?:남의|타인의|피해자의|고객의)\s*(?:\S+\s*)?(?:비밀번호|계좌|카드|돈|지갑|계정)(?:을|를)?\s*(?:훔|빼돌|탈취하는\s*방법)|위조\s*(?:여권|신분증|지폐)|훔친\s*(?:신용)?카드",
    re.I,
)
_ADVERTISING = re.compile(
    r"(?:^|[.!?] |\band )(?:buy|order|purchase|sign up|subscribe|enrol+|act|hurry|shop) (?:\w+ ){0,3}(?:now|today|right away|before it's too late|while (?:stocks|supplies) last|and (?:save|get|win))\b"
    r"|\b(?:limited[- ]time|exclusive|special|once-in-a-lifetime) (?:offer|deal|discount|bonus|price)s?\b|\bdon't miss (?:out|this)\b|\b\d{1,2} ?% (?:off|discount)\b|\bpromo(?:tion)? ?code\b|\bdiscount code\b|\buse (?:my|our|the) code [A-Z0-9]+\b|\bcoupon\b.{0,20}\b(?:code|now|get|use)\b"
    r"|\b(?:money[- ]back|100% (?:free|guaranteed|satisfaction)|satisfaction guaranteed|risk[- ]free trial|no credit card (?:needed|required))\b"
    r"|\b(?:smash|hit|click) (?:that |the )?(?:like|subscribe|bell)\b|\bfollow (?:me|us) on\b|\bclick (?:here|the link below) to (?:buy|get|claim|win|order)\b|\b(?:get rich|earn \$?\d[\d,]*|make money|double your (?:money|bitcoin|income)|passive income|guaranteed returns?)\b"
    r"|\b(?:the )?(?:best|greatest|most amazing|most incredible|number one|#1|world's (?:best|leading|greatest)) (?:\w+ ){0,2}(?:ever|in the world|in the universe|of all time|on the (?:market|planet))\b|\b(?:amazing|incredible|unbelievable|mind-blowing|game-changing|life-changing|revolutionary|miraculous)[ ,](?:\w+ ){0,2}(?:product|tool|course|deal|offer|results?|app|service|solution|bootcamp|platform)\b"
    r"|\bwe are hiring\b.{0,30}\b(?:apply|join)\b|\b(?:vote for|donate to) (?:\w+ )+(?:now|today|party|campaign)\b|\bcasino\b|\bonline betting\b|\bviagra\b|\bforex signals?\b"
    r"|지금\s*(?:바로\s*|당장\s*)?(?:구매|구입|신청|가입|등록|주문|예약|다운로드|클릭|구독)(?:하세요|하십시오|하시면|해\s*보세요|해주세요)|(?:구독|좋아요|알림\s*설정)(?:과|와|,)?\s*(?:\S+\s*)?(?:눌러|부탁)|(?:한정|특별|단독|파격)\s*(?:수량|할인|특가|혜택|판매|세일)|선착순|놓치지\s*마세요|\d{1,2}\s*(?:%|퍼센트)\s*(?:할인|세일|쿠폰)|할인\s*(?:코드|쿠폰)|무료\s*(?:상담|체험)\s*(?:신청|받|을\s*신청)|100\s*%\s*(?:무료|환불|보장|만족)|환불\s*보장|수익\s*(?:보장|률\s*보장)|(?:월|하루)\s*\d+\s*만\s*원\s*(?:벌|수익|버는)|부업으로|카지노|토토|세계\s*최고의|역대\s*최고의|최고의\s*(?:제품|강의|서비스|선택|기회|회사)(?:입니다|이다|을|를|!)|인생을\s*바꿀|혁명적인\s*(?:제품|서비스|도구|강의)|믿을\s*수\s*없는\s*(?:가격|혜택|결과)|(?:팔로우|채널\s*추가)(?:하세요|해\s*주세요|하고)|투표해\s*주세요",
    re.I,
)


def _is_advertising(text: str) -> bool:
    return _ADVERTISING.search(text) is not None
