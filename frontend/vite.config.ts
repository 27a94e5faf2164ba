import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const django = 'http://127.0.0.1:8000'

/** KaTeX offers each font in three formats; every browser that runs the app takes the smallest. */
function onlyWoff2(): Plugin {
  return {
    name: 'only-woff2',
    enforce: 'pre',
    transform: (code, id) =>
      id.includes('katex') && id.endsWith('.css') ? code.replace(/,url\([^)]*\.(woff|ttf)\) format\("\w+"\)/g, '') : null,
  }
}

/** The service worker keeps what the app is made of. Files are named after their contents, so the build tells it. */
function keptFiles(): Plugin {
  return {
    name: 'kept-files',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['sw.js']
      if (worker?.type !== 'chunk') throw new Error('The build has no sw.js.')
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/'))
      worker.code = worker.code.replace('__KEPT_FILES__', JSON.stringify(files.map((name) => `/static/app/${name}`)))
    },
  }
}

export default defineConfig(({ command }) => ({
  // Django serves what is built under /static/app/; the development server stands in for /app/ itself.
  base: command === 'build' ? '/static/app/' : '/app/',
  plugins: [react(), onlyWoff2(), keptFiles()],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  server: { proxy: { '/api': django, '/admin': django, '/static': django } },
  build: {
    // An inlined asset is a data: URL, which the content security policy refuses for fonts and styles.
    assetsInlineLimit: 0,
    // What loads what, for the budgets' test.
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { app: 'index.html', 'run-page': 'src/admin/run-page.ts', 'run-compare': 'src/admin/run-compare.ts', sw: 'src/worker/sw.ts' },
      output: {
        // The admin's templates name these files, so they carry no hash.
        entryFileNames: (chunk) =>
          // Nor does the worker, which browsers find again at the same address.
          chunk.name.startsWith('run-') ? 'admin/[name].js' : chunk.name === 'sw' ? '[name].js' : 'assets/[name]-[hash].js',
        assetFileNames: (asset) =>
          // What both of them share, named after the library that they share.
          asset.names.includes('uPlot.css') ? 'admin/run-page.css' : 'assets/[name]-[hash][extname]',
      },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    css: false,
    maxWorkers: 2,
    // A busy machine is no failure.
    testTimeout: 60_000,
  },
}))
