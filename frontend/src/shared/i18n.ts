import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

export const LANGUAGES = { en: 'English', 'zh-Hans': '简体中文' } as const
export type Language = keyof typeof LANGUAGES

/** A chunk each: only the chosen one is loaded, and only what it says is parsed. */
const CATALOGS: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import('@/locales/en.json'),
  'zh-Hans': () => import('@/locales/zh-Hans.json'),
}

/** Django reads the same cookie, so the admin and the server's own words follow the choice made here. */
const COOKIE = 'django_language'
const DJANGO_CODES: Record<Language, string> = { en: 'en', 'zh-Hans': 'zh-hans' }

/** Speak the language; until then there is nothing that could be shown. */
export async function startLanguages(language = preferredLanguage(document.cookie, navigator.languages)): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: { [language]: { translation: await wordsIn(language) } },
    lng: language,
    fallbackLng: false, // A test keeps the catalogs equal.
    interpolation: { escapeValue: false }, // React escapes.
    showSupportNotice: false,
  })
  document.documentElement.lang = language
}

/** Change to another language; refused, and nothing is changed, where its words cannot be loaded. */
export async function chooseLanguage(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', await wordsIn(language))
  }
  document.cookie = `${COOKIE}=${DJANGO_CODES[language]}; path=/; max-age=31536000; samesite=lax`
  document.documentElement.lang = language
  await i18next.changeLanguage(language)
}

/** The language chosen before, else the browser's, else English. */
export function preferredLanguage(cookies: string, browserLanguages: readonly string[]): Language {
  const chosen = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]+)`).exec(cookies)?.[1]
  const wanted = chosen ?? browserLanguages.find((code) => /^(en|zh)\b/i.test(code)) ?? 'en'
  return /^zh/i.test(wanted) ? 'zh-Hans' : 'en'
}

async function wordsIn(language: Language): Promise<object> {
  return (await CATALOGS[language]()).default
}
