"""A few words in many languages: what a voice says when it is only to be heard."""

from __future__ import annotations

from personas.voices.tags import primary

ENGLISH = "Hello! I am so glad to meet you. Shall we talk for a while?"

_GREETINGS = {
    "af": "Hallo! Ek is bly om jou te ontmoet.",
    "ar": "مرحبا! يسعدني أن ألتقي بك.",
    "bg": "Здравей! Радвам се да се запознаем.",
    "bn": "নমস্কার! আপনার সাথে দেখা হয়ে ভালো লাগলো।",
    "ca": "Hola! M'alegro molt de conèixer-te.",
    "cs": "Ahoj! Moc rád tě poznávám. Budeme si chvíli povídat?",
    "cy": "Helo! Mae'n dda gen i gwrdd â chi.",
    "da": "Hej! Hvor er det dejligt at møde dig. Skal vi snakke lidt?",
    "de": "Hallo! Ich freue mich sehr, dich kennenzulernen. Wollen wir eine Weile plaudern?",
    "el": "Γεια σου! Χαίρομαι πολύ που σε γνωρίζω.",
    "eo": "Saluton! Mi tre ĝojas renkonti vin.",
    "es": "¡Hola! Me alegro mucho de conocerte. ¿Charlamos un rato?",
    "et": "Tere! Mul on väga hea meel sinuga kohtuda.",
    "eu": "Kaixo! Pozten naiz zu ezagutzeaz.",
    "fa": "سلام! از دیدنت خیلی خوشحالم.",
    "fi": "Hei! On mukava tavata sinut. Jutellaanko hetki?",
    "fr": "Bonjour ! Je suis ravi de te rencontrer. On bavarde un peu ?",
    "ga": "Dia duit! Tá áthas orm bualadh leat.",
    "gl": "Ola! Alégrome moito de coñecerte.",
    "he": "שלום! אני שמח מאוד להכיר אותך.",
    "hi": "नमस्ते! आपसे मिलकर बहुत खुशी हुई।",
    "hr": "Bok! Jako mi je drago što te vidim.",
    "hu": "Szia! Nagyon örülök, hogy megismerhetlek.",
    "id": "Halo! Saya senang sekali bertemu denganmu.",
    "is": "Halló! Gaman að hitta þig.",
    "it": "Ciao! Sono molto contento di conoscerti. Facciamo due chiacchiere?",
    "ja": "こんにちは。はじめまして。少しお話ししませんか。",
    "ka": "გამარჯობა! მოხარული ვარ შენი გაცნობით.",
    "ko": "안녕하세요! 만나서 정말 반가워요.",
    "la": "Salve! Gaudeo te videre.",
    "lt": "Labas! Malonu susipažinti.",
    "lv": "Sveiki! Prieks iepazīties.",
    "mk": "Здраво! Драго ми е што те запознав.",
    "ms": "Helo! Saya gembira berjumpa dengan awak.",
    "nb": "Hei! Så hyggelig å treffe deg. Skal vi prate litt?",
    "nl": "Hallo! Wat leuk om je te ontmoeten. Zullen we even praten?",
    "pl": "Cześć! Bardzo się cieszę, że cię poznaję. Porozmawiamy chwilę?",
    "pt": "Olá! Fico muito feliz em conhecer você. Vamos conversar um pouco?",
    "ro": "Bună! Mă bucur să te cunosc.",
    "ru": "Привет! Я очень рад познакомиться. Поговорим немного?",
    "sk": "Ahoj! Veľmi ma teší, že ťa spoznávam.",
    "sl": "Živjo! Veseli me, da sva se spoznala.",
    "sq": "Përshëndetje! Gëzohem që u njohëm.",
    "sr": "Здраво! Драго ми је што смо се упознали.",
    "sv": "Hej! Vad roligt att träffa dig. Ska vi prata en stund?",
    "sw": "Habari! Nimefurahi kukutana nawe.",
    "ta": "வணக்கம்! உங்களைச் சந்தித்ததில் மகிழ்ச்சி.",
    "te": "నమస్కారం! మిమ్మల్ని కలవడం సంతోషం.",
    "th": "สวัสดี ยินดีที่ได้รู้จัก",
    "tr": "Merhaba! Tanıştığımıza çok memnun oldum. Biraz sohbet edelim mi?",
    "uk": "Привіт! Дуже радий познайомитися. Поговоримо трохи?",
    "ur": "سلام! آپ سے مل کر بہت خوشی ہوئی۔",
    "vi": "Xin chào! Rất vui được gặp bạn.",
    "yue": "你好！好高興認識你。",
    "zh": "你好！很高兴认识你。我们聊一会儿吧？",
}


def greeting(language: str) -> str:
    """Something to say in a language; English where we know no words of it."""
    return _GREETINGS.get(primary(language), ENGLISH)
