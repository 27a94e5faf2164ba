import 'i18next'

import type en from '@/locales/en.json'

// Lets the type checker refuse a key that is in no catalog.
declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en }
  }
}
