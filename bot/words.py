"""Words and lines that stand around a digest, and what the command line says; `replies.say` gives them.

In Korean and English. Sentences about what went wrong are in `replies.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

Both = tuple[str, str]  # Korean, English

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
    "doctor.encoder": ("인코더", "encoder"),
    "doctor.encoder_prepared": (
        "내장 인코더 · 준비됨({size})",
        "embedded encoder · prepared ({size})",
    ),
    "doctor.encoder_unprepared": (
        "내장 인코더 · 아직 준비되지 않음. 글을 비교하고 찾는 데 쓰입니다. smartdevdigest prepare를 실행해 주세요.",
        "embedded encoder · not prepared yet; it compares and finds texts; run smartdevdigest prepare.",
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
    "doctor.model_served": ("모델 서버 {count}곳에 물음", "model servers that are asked: {count}"),
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
    "doctor.gpu_unneeded": ("없음 · 필요하지 않습니다.", "none · none is needed."),
    "doctor.gpu_missed": (
        "없음 · 엔진 {engine}이(가) CPU에서 계산합니다. 작은 모델에만 알맞습니다.",
        "none · the engine {engine} calculates on the CPU, which suits small models only.",
    ),
    "doctor.packages_lack": (
        '{names} 없음 · 4비트 가중치에 필요합니다: pip install --no-build-isolation -e ".[gpu]"',
        '{names} not installed · 4-bit weights need them: pip install --no-build-isolation -e ".[gpu]"',
    ),
    "doctor.no_compiler": (
        "nvcc 없음 · gptqmodel은 처음 쓸 때 이것으로 빠른 커널을 컴파일합니다(core/engine/MODELS.md).",
        "nvcc not found · gptqmodel compiles its fast kernels with it at the first use "
        "(core/engine/MODELS.md).",
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
