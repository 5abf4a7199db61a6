"""What people hear, in Korean and English: one sentence for every way a digest can end.

A sentence says what is wrong and what to do. Nothing from a page comes into a sentence;
where the cause is ours to tell (a row, a file, a setting) it stands behind a colon, as `reason`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from core.article import Language
from core.digest import FactorName, Label
from core.errors import DigestError

Both = tuple[str, str]  # Korean, English

ERRORS: Mapping[str, Both] = {
    "failed": (
        "요약을 만들지 못했습니다. 잠시 후 다시 시도해 주세요.",
        "The digest could not be made; please try again in a moment.",
    ),
    "bad_link": (
        "따라갈 수 있는 링크가 아닙니다. http:// 또는 https://로 시작하는 주소를 보내 주세요.",
        "This is not a link we can follow; please send an address that begins with "
        "http:// or https://.",
    ),
    "no_file": (
        "그런 파일이 없습니다. 경로를 확인해 주세요.",
        "There is no such file; please check its path.",
    ),
    "fetch_failed": (
        "페이지를 가져오지 못했습니다. 주소를 확인하고 잠시 후 다시 시도해 주세요.",
        "The page could not be fetched; please check the address and try again in a moment.",
    ),
    "not_found": (
        "이 주소에 페이지가 없습니다. 링크가 정확한지 확인해 주세요.",
        "There is no page at this address; please check that the link is right.",
    ),
    "site_unavailable": (
        "사이트가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        "The site is not answering right now; please try again in a moment.",
    ),
    "timed_out": (
        "사이트가 제한 시간 안에 페이지를 보내지 않았습니다. 잠시 후 다시 시도해 주세요.",
        "The site did not send the page in time; please try again in a moment.",
    ),
    "too_many_redirects": (
        "링크가 다른 주소로 너무 여러 번 넘어갑니다. 글의 최종 주소를 보내 주세요.",
        "The link is redirected too many times; please send the article's final address.",
    ),
    "too_large": (
        "페이지가 너무 커서 읽지 않았습니다. 더 작은 글의 링크를 보내거나 web.max_bytes 설정을 "
        "늘려 주세요.",
        "The page is larger than we read; please send a smaller one or raise the setting "
        "web.max_bytes.",
    ),
    "unsupported_type": (
        "읽을 수 없는 형식입니다. HTML, PDF, Markdown 또는 일반 텍스트 링크를 보내 주세요.",
        "This kind of file cannot be read; please send a link to HTML, PDF, Markdown or plain text.",
    ),
    "not_a_feed": (
        "이 주소에서 피드를 찾지 못했습니다. RSS, Atom 또는 JSON Feed 주소를 보내 주세요.",
        "No feed was found at this address; please send the address of an RSS, Atom or JSON feed.",
    ),
    "feed_gone": (
        "이 피드는 더 이상 제공되지 않습니다. 구독에서 빼거나 새 주소를 보내 주세요.",
        "This feed is no longer published; please remove it or send its new address.",
    ),
    "address_refused": (
        "내부망 주소는 읽지 않습니다. 사내 서버라면 관리자가 web.allow_hosts 설정에 추가해야 "
        "합니다.",
        "Private addresses are not read; for an intranet host, ask whoever runs this service to "
        "add it to web.allow_hosts.",
    ),
    "robots_refused": (
        "사이트가 robots.txt에서 자동 읽기를 금지합니다. 브라우저에서 직접 읽어 주세요.",
        "The site's robots.txt forbids automatic reading; please read it in your browser.",
    ),
    "nothing_to_read": (
        "페이지에서 글을 찾지 못했습니다. 글 본문으로 바로 가는 링크를 보내 주세요.",
        "No article was found in this page; please send a link to the article itself.",
    ),
    "login_wall": (
        "로그인이나 결제가 필요한 글이라 요약하지 않았습니다. 공개된 링크를 보내 주세요.",
        "This article is behind a log-in or pay wall and was not digested; please send a public "
        "link.",
    ),
    "script_wall": (
        "쿠키 동의나 로봇 확인, 자바스크립트 화면만 열려서 요약하지 않았습니다. 글이 바로 보이는 "
        "링크를 보내 주세요.",
        "Only a cookie, captcha or JavaScript screen came back, so nothing was digested; please "
        "send a link that shows the article directly.",
    ),
    "too_thin": (
        "페이지의 글이 너무 짧아서 요약할 수 없습니다. 본문이 있는 글의 링크를 보내 주세요.",
        "The page has too little text to digest; please send a link to a whole article.",
    ),
    "empty": (
        "내용이 비어 있습니다. 글이 들어 있는 링크나 파일을 보내 주세요.",
        "There is no text in it; please send a link or a file with an article.",
    ),
    "image_pdf": (
        "그림으로만 된 PDF라 읽을 글자가 없습니다. 글자를 선택할 수 있는 PDF를 보내 주세요.",
        "This PDF consists of images and has no text; please send one whose text can be selected.",
    ),
    "engine_failed": (
        "모델이 답을 만들지 못했습니다. 다시 시도해 주시고, 계속되면 smartdevdigest doctor를 "
        "실행해 주세요.",
        "The model gave no answer; please try again, and if it goes on run smartdevdigest doctor.",
    ),
    "engine_busy": (
        "지금 처리 중인 요청이 많습니다. 잠시 후 다시 시도해 주세요.",
        "Too many requests are waiting right now; please try again in a moment.",
    ),
    "engine_timed_out": (
        "모델이 제한 시간 안에 답하지 못했습니다. 잠시 후 다시 시도해 주세요.",
        "The model did not answer in time; please try again in a moment.",
    ),
    "engine_out_of_memory": (
        "모델이 쓸 수 있는 메모리가 부족합니다. 잠시 후 다시 시도해 주시고, 계속되면 관리자가 "
        "model.max_batch 설정을 줄여 주세요.",
        "The model ran out of memory; please try again in a moment, and if it goes on ask whoever "
        "runs this service to lower model.max_batch.",
    ),
    "model_not_ready": (
        "모델을 준비하지 못했습니다. 원인을 해결한 뒤 smartdevdigest prepare를 다시 실행해 주세요"
        "{reason}.",
        "The model could not be prepared; please remove the cause and run smartdevdigest prepare "
        "again{reason}.",
    ),
    "asked_too_often": (
        "한 시간에 요약할 수 있는 수를 넘었습니다. 잠시 후 다시 시도해 주세요.",
        "That is more than I digest in an hour; please try again later.",
    ),
    "chat_failed": (
        "메시지를 보내지 못했습니다. 봇이 이 채널에 초대되어 있는지 확인해 주세요.",
        "The message could not be sent; please check that the bot is invited to this channel.",
    ),
    "chat_refused": (
        "이 채널에는 메시지를 보낼 수 없습니다. 봇을 초대했는지, 필요한 권한이 있는지 확인해 주세요.",
        "Messages are not allowed in this channel; please check that the bot is invited and has "
        "the permissions it needs.",
    ),
    "chat_unavailable": (
        "메신저가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        "The chat is not answering right now; please try again in a moment.",
    ),
    "message_gone": (
        "메시지가 이미 지워졌습니다. 링크를 다시 공유해 주세요.",
        "The message is not there any more; please share the link again.",
    ),
    "article_gone": (
        "요약하는 동안 글이 삭제되었습니다. 필요하면 링크를 다시 공유해 주세요.",
        "The article was erased before its digest was made; please share the link again if needed.",
    ),
    "storage_unavailable": (
        "데이터베이스가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        "The database is not answering right now; please try again in a moment.",
    ),
    "bad_article": (
        "글이 입력 형식에 맞지 않습니다. smartdevdigest schema article로 형식을 확인해 주세요"
        "{reason}.",
        "This is not an article in the expected form; smartdevdigest schema article shows it"
        "{reason}.",
    ),
    "bad_subscription": (
        "구독을 이대로 저장할 수 없습니다. 아래 항목을 고쳐 주세요{reason}.",
        "The subscription cannot be kept like this; please correct the following{reason}.",
    ),
    "bad_settings": (
        "설정이 잘못되었습니다. 아래 항목을 고쳐 주세요{reason}.",
        "The settings cannot be used; please correct the following{reason}.",
    ),
}

NOTES: Mapping[str, Both] = {
    "difficulty_close": (
        "난이도 두 단계가 비슷하게 맞아 보입니다. 읽기에 쉬웠나요, 어려웠나요?",
        "Two difficulty levels fit about equally well: was it easy or hard to read?",
    ),
    "korean_extractive": (
        "이 모델은 한국어 문장을 쓰지 않으므로, 요약은 글에 있는 문장을 그대로 골라 보여 드립니다.",
        "This model writes no Korean, so the summary consists of the article's own sentences.",
    ),
    "no_translation": (
        "이 모델은 요청하신 언어로 쓸 수 없어, 요약을 글의 언어 그대로 보여 드립니다.",
        "The model cannot write the language asked for, so the summary stays in the article's.",
    ),
    "partly_drafted": (
        "긴 글이라 모델은 가장 중심이 되는 부분을 바탕으로 썼으며, 문장은 처음부터 끝까지 모두 "
        "검토했습니다.",
        "This is a long article: the model drafted from its most central parts, and every "
        "sentence of it was weighed.",
    ),
    "nothing_supported": (
        "모델이 쓴 문장 가운데 글로 뒷받침되는 것이 없어, 글에 있는 문장을 보여 드립니다.",
        "Nothing the model wrote was borne out by the article, so its own sentences are shown.",
    ),
}

LABELS: Mapping[Label, Both] = {
    "beginner": ("입문", "beginner"),
    "elementary": ("초급", "elementary"),
    "intermediate": ("중급", "intermediate"),
    "advanced": ("고급", "advanced"),
    "expert": ("전문가", "expert"),
}

FACTORS: Mapping[FactorName, Both] = {
    "terms": ("전문 용어", "specialist terms"),
    "concepts": ("개념의 복잡도", "complexity of concepts"),
    "background": ("필요한 배경지식", "background needed"),
    "algorithms": ("알고리즘의 복잡도", "complexity of algorithms"),
}

WORDS: Mapping[str, Both] = {
    "summary": ("요약", "Summary"),
    "difficulty": ("난이도", "Difficulty"),
    "difficulty.model": ("모델의 판단", "As the model sees it"),
    "keywords": ("핵심어", "Keywords"),
    "prerequisites": ("먼저 알아야 할 것", "Good to know first"),
    "terms": ("용어", "Terms"),
    "questions": ("독자가 물을 만한 질문", "Questions readers may ask"),
    "untitled": ("제목 없음", "Untitled"),
    "origin.model": (
        "모델이 쓰고 글과 대조함",
        "written by the model, checked against the article",
    ),
    "origin.article": ("글의 문장", "the article's own words"),
    "term.article": ("글에서", "from the article"),
    "term.glossary": ("용어집에서", "from the glossary"),
    "term.model": ("모델의 설명", "the model's words"),
    "coverage": (
        "{words:,}단어 가운데 {read:.0%}를 읽음(모델이 직접 본 부분 {drafted:.0%}) · 모델이 쓴 문장 {checked}개를 대조해 {rejected}개를 "
        "버림 · {seconds:.1f}초 · {model}",
        "{read:.0%} of {words:,} words read (the model itself saw {drafted:.0%}) · {checked} of the model's sentences checked, {rejected} "
        "rejected · {seconds:.1f} s · {model}",
    ),
    "coverage.unchecked": (
        "{words:,}단어 가운데 {read:.0%}를 읽음 · {seconds:.1f}초 · {model}",
        "{read:.0%} of {words:,} words read · {seconds:.1f} s · {model}",
    ),
    "limit.user": (
        "한 시간에 요약할 수 있는 링크 수를 넘었습니다. 잠시 후 다시 공유해 주세요.",
        "That is more links than I digest for one person in an hour; please share them again later.",
    ),
    "limit.channel": (
        "이 채널에서 한 시간에 요약할 수 있는 링크 수를 넘었습니다. 잠시 후 다시 공유해 주세요.",
        "That is more links than I digest for one channel in an hour; please share them again later.",
    ),
    "limit.message": (
        "메시지 하나에서는 링크를 {count}개까지만 요약합니다.",
        "I digest at most {count} links of one message.",
    ),
    "stage.reading": ("글을 읽는 중", "Reading the article"),
    "stage.drafting": ("초안을 쓰는 중", "Writing a draft"),
    "stage.checking": ("글과 대조하는 중", "Checking it against the article"),
    "stage.preparing": ("모델을 준비하는 중", "Preparing the model"),
    "ready": ("모델이 준비되었습니다: {model}", "The model is ready: {model}"),
    "watched_at": (
        "상태와 지표: {address} (healthz, readyz, metrics)",
        "Health and figures: {address} (healthz, readyz, metrics)",
    ),
    "open_page": ("이 주소를 열어 주세요: {address}", "Open this address: {address}"),
    "in_chats": ("연결된 메신저: {chats}", "Connected to {chats}."),
    "working": (
        "대기열의 링크를 요약합니다({model}).",
        "Making digests of what is queued ({model}).",
    ),
    "stop_hint": ("끝내려면 Ctrl-C를 누르세요.", "Press Ctrl-C to stop."),
    "port_taken": (
        "{host}:{port}에서 기다릴 수 없습니다({cause}). --port로 다른 포트를 지정해 주세요.",
        "Cannot listen on {host}:{port} ({cause}); please name another port with --port.",
    ),
    "rows_done": (
        "{done}행을 마쳤습니다(실패 {failed}행, 이미 되어 있던 {before}행).",
        "{done} rows done ({failed} failed, {before} were done before).",
    ),
    "row_failed": ("{line}행: {sentence}", "line {line}: {sentence}"),
    "stopped": (
        "멈췄습니다. 같은 명령을 다시 실행하면 이어서 합니다.",
        "Stopped; the same command goes on from here.",
    ),
    "doctor.settings": ("설정", "settings"),
    "doctor.data": ("데이터 폴더", "data folder"),
    "doctor.disk": ("디스크", "disk"),
    "doctor.model": ("모델", "model"),
    "doctor.gpu": ("그래픽 카드", "GPU"),
    "doctor.secrets": ("비밀 값", "secrets"),
    "doctor.database": ("데이터베이스", "database"),
    "doctor.slack": ("슬랙", "Slack"),
    "doctor.discord": ("디스코드", "Discord"),
    "doctor.slack_unset": (
        "연결하지 않음 · SMARTDEVDIGEST_SLACK__BOT_TOKEN과 …__APP_TOKEN을 설정하면 연결됩니다.",
        "not connected · set SMARTDEVDIGEST_SLACK__BOT_TOKEN and …__APP_TOKEN to connect it.",
    ),
    "doctor.slack_lacks": (
        "{names}이(가) 없습니다. 환경 변수나 .env에 설정해 주세요.",
        "{names} missing; please set it in the environment or .env.",
    ),
    "doctor.slack_socket": ("Socket Mode로 연결", "by Socket Mode"),
    "doctor.slack_http": (
        "HTTP 이벤트로 연결 · /slack/events가 밖에서 보여야 합니다.",
        "by HTTP events · /slack/events must be reachable from outside.",
    ),
    "doctor.discord_unset": (
        "연결하지 않음 · SMARTDEVDIGEST_DISCORD__TOKEN을 설정하면 연결됩니다.",
        "not connected · set SMARTDEVDIGEST_DISCORD__TOKEN to connect it.",
    ),
    "doctor.discord_all": (
        "메시지의 링크를 모두 읽음(Message Content 권한 필요)",
        "reads links in messages (needs the Message Content intent)",
    ),
    "doctor.discord_asked": (
        "Message Content 권한 없이 · 멘션, 명령, 메뉴로 부탁한 링크만 요약하고, 🔍 반응에는 메뉴 쓰는 "
        "법을 알립니다. 모든 링크를 읽으려면 권한을 켜고 discord.message_content를 true로 설정해 "
        "주세요.",
        "without Message Content · digests what a mention, a command or the menu asks for, and "
        "answers 🔍 with how to use the menu; for every link grant the intent and set "
        "discord.message_content to true.",
    ),
    "doctor.page": ("웹 페이지", "page"),
    "doctor.from": (
        "프로필 {profile} · {files} 읽음",
        "profile {profile} · read from {files}",
    ),
    "doctor.built_in": ("내장된 기본값", "the built-in defaults"),
    "doctor.not_writable": (
        "{path} 폴더에 쓸 수 없습니다({cause}). SMARTDEVDIGEST_DATA_DIR로 다른 폴더를 지정해 주세요.",
        "{path} cannot be written ({cause}); name another folder in SMARTDEVDIGEST_DATA_DIR.",
    ),
    "doctor.little_disk": (
        "{free} 남음. 모델을 준비하려면 {needed}가 필요하니 공간을 비워 주세요.",
        "{free} free, but preparing the model needs {needed}; please make room.",
    ),
    "doctor.enough_disk": ("{free} 남음", "{free} free"),
    "doctor.prepared": ("{engine} · 준비됨({size})", "{engine} · prepared ({size})"),
    "doctor.unprepared": (
        "{engine} · 아직 준비되지 않음. smartdevdigest prepare를 실행해 주세요.",
        "{engine} · not prepared yet; run smartdevdigest prepare.",
    ),
    "doctor.no_model": (
        "{engine} · 모델 없이 글의 문장만 보여 줍니다. SMARTDEVDIGEST_MODEL__ENGINE=ctranslate2로 "
        "바꾸면 모델을 씁니다.",
        "{engine} · no model, only the article's own sentences; "
        "SMARTDEVDIGEST_MODEL__ENGINE=ctranslate2 uses one.",
    ),
    "doctor.no_folder": (
        "model.folder {path}에 준비된 모델이 없습니다. 설정을 고쳐 주세요.",
        "model.folder {path} holds no prepared model; please correct the setting.",
    ),
    "doctor.machine": ("이 컴퓨터", "this machine"),
    "doctor.servers": ("모델 서버", "model servers"),
    "doctor.fits_embedded": (
        "프로필 embedded를 권합니다: 메모리 약 {memory}",
        "the profile embedded fits: about {memory} of memory",
    ),
    "doctor.fits_gpu": (
        "프로필 gpu를 권합니다: {size}B GPTQ 4비트 모델, GPU 메모리 약 {memory}(가중치 {weights})",
        "the profile gpu fits: a GPTQ 4-bit model of {size} B, about {memory} of GPU memory "
        "({weights} of it weights)",
    ),
    "doctor.fits_vllm": (
        "프로필 vllm을 권합니다: GPU {gpus}개에 {size}B 4비트 모델, 모두 약 {memory}(가중치 {weights})",
        "the profile vllm fits: a 4-bit model of {size} B on {gpus} GPUs, about {memory} in all "
        "({weights} of it weights)",
    ),
    "doctor.fits_none": (
        "내장 모델에는 메모리가 {memory} 필요합니다. MODEL__ENGINE=echo로는 실행할 수 있습니다.",
        "the embedded model needs {memory} of memory; MODEL__ENGINE=echo runs with less",
    ),
    "doctor.server_well": ("{url} 응답함: {models}", "{url} answers: {models}"),
    "doctor.server_silent": (
        "{url} 응답 없음({cause}). model.endpoints를 확인해 주세요.",
        "{url} does not answer ({cause}); check model.endpoints",
    ),
    "doctor.model_served": ("모델 서버 {count}곳에 물음", "{count} servers are asked"),
    "doctor.model_hub": (
        "gptq · 시작할 때 모델 허브에서 {name}을(를) 읽습니다",
        "gptq · {name} is read from the model hub when starting",
    ),
    "doctor.model_unnamed": (
        "gptq에는 체크포인트가 필요합니다. {name}을(를) 설정해 주세요.",
        "gptq needs a checkpoint; set {name}",
    ),
    "doctor.no_gpu": (
        "없음 · 내장 모델은 CPU에서 동작합니다.",
        "none · the embedded model runs on the CPU.",
    ),
    "doctor.gpu_needed": (
        "없음 · 엔진 {engine}에는 NVIDIA GPU가 필요합니다. --profile embedded를 써 주세요.",
        "none · the engine {engine} needs an NVIDIA GPU; please use --profile embedded.",
    ),
    "doctor.secret_set": ("{name} 설정됨", "{name} set"),
    "doctor.secret_unset": ("{name} 없음", "{name} not set"),
    "doctor.database_new": (
        "{url} · 처음 실행할 때 만들어집니다.",
        "{url} · will be made at the first start.",
    ),
    "doctor.database_old": (
        "{url} · 버전 {current}, 다음 실행 때 {newest}(으)로 올라갑니다.",
        "{url} · version {current}, raised to {newest} at the next start.",
    ),
    "doctor.database_fine": ("{url} · 버전 {current}", "{url} · version {current}"),
    "doctor.port_free": ("{address} 사용 가능", "{address} is free"),
    "doctor.port_taken": (
        "{address}은(는) 다른 프로그램이 쓰고 있습니다. 이미 실행 중이 아니라면 "
        "SMARTDEVDIGEST_HTTP__PORT를 바꿔 주세요.",
        "{address} is in use; unless that is this service, change SMARTDEVDIGEST_HTTP__PORT.",
    ),
    "no_file": ("{path} 파일이 없습니다.", "There is no file {path}."),
    "index.whole": (
        "색인이 온전합니다: 다이제스트 {indexed}개, 구절 {passages}개.",
        "The index is complete: {indexed} digests, {passages} passages.",
    ),
    "index.behind": (
        "다이제스트 {digests}개 가운데 {indexed}개가 색인에 있습니다(구절 {passages}개). "
        "봇이 켜져 있으면 나머지를 스스로 채우고, `smartdevdigest index rebuild`로 바로 채울 수 있습니다.",
        "{indexed} of {digests} digests are in the index ({passages} passages). A running bot adds "
        "the rest by itself; `smartdevdigest index rebuild` does it now.",
    ),
    "index.progress": ("색인에 넣는 중: {done}/{total}", "Putting into the index: {done}/{total}"),
    "erase.found": (
        "{where}에서 지울 것(표마다 몇 줄):",
        "To be deleted of {where}, rows by table:",
    ),
    "erase.done": ("{where}의 기록을 지웠습니다:", "Deleted of {where}:"),
    "erase.ask": (
        "되돌릴 수 없습니다. 모두 지울까요?",
        "This cannot be undone. Delete all of it?",
    ),
    "erase.left": ("아무것도 지우지 않았습니다.", "Nothing was deleted."),
    "erase.nothing": (
        "{where}의 기록이 없습니다. ID가 정확한지 확인해 주세요(이름이 아니라 ID여야 하고, 대소문자를 "
        "구분합니다).",
        "Nothing is kept of {where}; please check the ids (ids, not names; capitals count).",
    ),
    "erase.one_of": (
        "--channel과 --user 가운데 하나만 써 주세요.",
        "Please give only one of --channel and --user.",
    ),
    "in_is_out": (
        "--jsonl과 --out이 같은 파일입니다. 다른 파일에 써 주세요.",
        "--jsonl and --out are the same file; please write to another.",
    ),
    "not_written": (
        "{path}에 쓸 수 없습니다({cause}).",
        "{path} cannot be written ({cause}).",
    ),
}


def sentence(error: DigestError, language: Language) -> str:
    """The sentence for an error; one without its own gets that of its nearest kin."""
    kin = (kind.code for kind in type(error).__mro__ if issubclass(kind, DigestError))
    code = next(code for code in kin if code in ERRORS)
    text = pick(ERRORS[code], language)
    if not error.reason:
        return text.replace("{reason}", "")
    reason = "\n" + error.reason if code == "bad_settings" else " " + plain(error.reason)
    return text.replace("{reason}.", f":{reason}")


def note(key: str, language: Language) -> str:
    """A remark on how a digest came about (`Details.notes`). An unknown key is shown as it is."""
    return pick(NOTES[key], language) if key in NOTES else key


def label(name: Label, language: Language) -> str:
    return pick(LABELS[name], language)


def factor(name: FactorName, language: Language) -> str:
    return pick(FACTORS[name], language)


def say(key: str, language: Language, **values: object) -> str:
    """A word or line of the surfaces; KeyError for one that nobody wrote."""
    return pick(WORDS[key], language).format(**values)


def pick(both: Both, language: Language) -> str:
    return both[0] if language == "ko" else both[1]


def plain(text: str) -> str:
    """One line without what could move a cursor or turn a line around (escapes, bidi marks)."""
    if not text.isprintable():
        harmful = (char for char in {*text} if not (char.isspace() or _is_harmless(char)))
        text = text.translate(dict.fromkeys(map(ord, harmful)))
    return " ".join(text.split())


def _is_harmless(char: str) -> bool:
    # U+200D joins Korean-free things such as emoji; every other format character only hides.
    return char == "\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")
