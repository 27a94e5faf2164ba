import { describe, expect, it } from 'vitest'

import { show } from '@/testing/render'

import { Markdown } from './markdown'

function proseOf(text: string, language?: string): HTMLElement {
  return show(<Markdown text={text} language={language} />).container.querySelector<HTMLElement>('.prose')!
}

/** Everything that could run, load or leave: elements and attributes. */
function dangersIn(prose: HTMLElement): string[] {
  const elements = [...prose.querySelectorAll('*')]
  const links = elements.flatMap((element) => [element.getAttribute('href'), element.getAttribute('src')])
  return [
    ...elements.map(({ localName }) => localName).filter((name) => !SAFE.has(name)),
    ...elements.flatMap((element) => element.getAttributeNames()).filter((name) => /^on|^style$|^srcdoc$|^id$|^name$/.test(name)),
    ...links.filter((link) => link !== null).filter((link) => !/^(https?:\/\/|mailto:)/.test(link)),
  ]
}

const SAFE = new Set(
  'a blockquote br code del div em h3 h4 h5 h6 hr input li ol p pre section span strong sup table tbody td th thead tr ul'.split(' '),
)

describe('hostile Markdown', () => {
  it.each([
    '<script>alert(1)</script>',
    'a <script src="https://evil.example/x.js"></script> b',
    '<img src=x onerror="alert(1)">',
    '<svg onload="alert(1)"><path d="M0 0"/></svg>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<style>body { display: none }</style>',
    '<a href="https://example.org" onclick="alert(1)">here</a>',
    '<form action="https://evil.example"><input name="password"></form>',
    '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
    '<object data="https://evil.example"></object><embed src="https://evil.example">',
    '[here](javascript:alert(1))',
    '[here](JaVaScRiPt:alert(1))',
    '[here](java\nscript:alert(1))',
    '[here](&#106;avascript:alert(1))',
    '[here](data:text/html,<script>alert(1)</script>)',
    '[here](vbscript:msgbox)',
    '[here](file:///etc/passwd)',
    '<javascript:alert(1)>',
    '[here](/admin/logout/)',
    '[here](//evil.example/)',
    '![pixel](https://tracker.example/pixel.png)',
    '![](javascript:alert(1))',
    '[here][ref]\n\n[ref]: javascript:alert(1)',
    '![x][ref]\n\n[ref]: https://tracker.example/ref.png',
  ])('is harmless: %s', (text) => {
    expect(dangersIn(proseOf(`${text}\n\nThe end.`))).toEqual([])
  })

  it('keeps the text around it', () => {
    const prose = proseOf('Before.\n\n<script>alert(1)</script>\n\nAfter.')

    expect(prose.textContent).toContain('Before.')
    expect(prose.textContent).toContain('After.')
    expect(prose.textContent).not.toContain('alert')
  })

  it('shows where a link goes, and goes there without saying from where', () => {
    const link = proseOf('[here](https://example.org/page)').querySelector('a')!

    expect(link.textContent).toBe('here')
    expect(link.title).toBe('https://example.org/page')
    expect([link.target, link.rel]).toEqual(['_blank', 'noopener noreferrer nofollow'])
  })

  it('shows an image as a link to it, never the image', () => {
    const prose = proseOf('![A pot](https://example.org/pot.png)')

    expect(prose.querySelector('img')).toBeNull()
    expect(prose.querySelector('a')!.textContent).toContain('A pot')
    expect(prose.querySelector('a')!.href).toBe('https://example.org/pot.png')
  })

  it('of enormous length is shown as it is, without being read', () => {
    const text = '> '.repeat(40_000)

    expect(proseOf(text).querySelector('.plain-text')!.textContent).toBe(text)
  })
})

describe('honest Markdown', () => {
  it('has its tables, in a frame that can be scrolled by keys', () => {
    const prose = proseOf('| step | why |\n| --- | --- |\n| toast cumin | aroma |')

    expect([...prose.querySelectorAll('th, td')].map((cell) => cell.textContent)).toEqual(['step', 'why', 'toast cumin', 'aroma'])
    expect(prose.querySelector<HTMLElement>('.scroll-x')!.tabIndex).toBe(0)
  })

  it('has its code, spaces and signs as they were written', () => {
    const prose = proseOf('```python\nif a < b:\n    print("<b>&amp;</b>")\n```\n\nSee `man  soup`.')

    expect(prose.querySelector('pre')!.textContent).toBe('if a < b:\n    print("<b>&amp;</b>")\n')
    expect(prose.querySelector('p code')!.textContent).toBe('man  soup')
  })

  it('has lists, quotes, emphasis and what was crossed out', () => {
    const prose = proseOf('1. one\n2. **two**\n\n> *quoted*\n\n~~gone~~\n\n- [x] done')

    expect(prose.querySelectorAll('ol > li')).toHaveLength(2)
    for (const selector of ['strong', 'blockquote em', 'del', 'input[disabled]']) {
      expect(prose.querySelector(selector), selector).not.toBeNull()
    }
  })

  it('has headings below those of the screen', () => {
    const prose = proseOf('# One\n\n## Two\n\n###### Six')

    expect([...prose.querySelectorAll(':is(h1, h2, h3, h4, h5, h6)')].map(({ localName }) => localName)).toEqual(['h3', 'h4', 'h6'])
  })

  it('has Chinese as it was written, and says which language it is', () => {
    const prose = proseOf('先把**洋葱**炒香，再加水。\n\n| 步骤 | 原因 |\n| --- | --- |\n| 炒 | 香 |', 'zh')

    expect(prose.querySelector('p')!.textContent).toBe('先把洋葱炒香，再加水。')
    expect(prose.querySelectorAll('td')).toHaveLength(2)
    expect(prose.lang).toBe('zh')
  })
})
