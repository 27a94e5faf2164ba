import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

import en from '@/locales/en.json'
import zhHans from '@/locales/zh-Hans.json'

export const LANGUAGES = { en: 'English', 'zh-Hans': '简体中文' } as const
export type Language = keyof typeof LANGUAGES

/** Django reads the same cookie, so the admin and the server's own words follow the choice made here. */
const COOKIE = 'django_language'
const DJANGO_CODES: Record<Language, string> = { en: 'en', 'zh-Hans': 'zh-hans' }

export function startLanguages(): void {
  void i18next.use(initReactI18next).init({
    resources: { en: { translation: en }, 'zh-Hans': { translation: zhHans } },
    lng: preferredLanguage(document.cookie, navigator.languages),
    fallbackLng: 'en',
    interpolation: { escapeValue: false }, // React escapes.
    showSupportNotice: false,
  })
  document.documentElement.lang = i18next.language
}

export function chooseLanguage(language: Language): void {
  document.cookie = `${COOKIE}=${DJANGO_CODES[language]}; path=/; max-age=31536000; samesite=lax`
  document.documentElement.lang = language
  void i18next.changeLanguage(language)
}

/** The language chosen before, else the browser's, else English. */
export function preferredLanguage(cookies: string, browserLanguages: readonly string[]): Language {
  const chosen = new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]+)`).exec(cookies)?.[1]
  const wanted = chosen ?? browserLanguages.find((code) => /^(en|zh)\b/i.test(code)) ?? 'en'
  return /^zh/i.test(wanted) ? 'zh-Hans' : 'en'
}
