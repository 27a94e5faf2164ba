import ts from 'typescript'

/** What a source text asks ``t`` for; a part that is only known at run time matches any one step of a key. */
export function keysUsedIn(source: string): RegExp[] {
  const keys: RegExp[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 't' && node.arguments[0]) {
      keys.push(...patternsOf(node.arguments[0]).map((pattern) => new RegExp(`^${pattern}$`)))
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('source.tsx', source, ts.ScriptTarget.Latest, true))
  return keys
}

function patternsOf(key: ts.Expression): string[] {
  if (ts.isStringLiteralLike(key)) return [literal(key)]
  if (ts.isConditionalExpression(key)) return [...patternsOf(key.whenTrue), ...patternsOf(key.whenFalse)]
  if (ts.isTemplateExpression(key)) {
    return [[key.head, ...key.templateSpans.map((span) => span.literal)].map(literal).join('[^.]+')]
  }
  throw new Error(`A key that no test can follow: t(${key.getText()})`)
}

function literal({ text }: { text: string }): string {
  return text.replaceAll('.', '\\.')
}
