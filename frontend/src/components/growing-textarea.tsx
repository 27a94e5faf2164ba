import { type ComponentProps, useLayoutEffect, useRef } from 'react'

import styles from './growing-textarea.module.css'

type Props = ComponentProps<'textarea'> & { value: string; minRows: number }

/** A plain text field as high as its text. Paste, spelling and input methods are the browser's own. */
export function GrowingTextarea({ minRows, className = '', ref, ...props }: Props) {
  const own = useRef<HTMLTextAreaElement>(null)

  useLayoutEffect(() => {
    if (own.current && !growsByItself()) fitTo(own.current)
  }, [props.value])

  return (
    <textarea {...props} rows={minRows} className={`${styles.field} ${className}`}
      ref={(element) => {
        own.current = element
        if (typeof ref === 'function') ref(element)
        else if (ref) ref.current = element
      }} />
  )
}

/** Firefox does not yet; there the field is measured with every key. */
function growsByItself(): boolean {
  return typeof CSS !== 'undefined' && CSS.supports('field-sizing', 'content')
}

function fitTo(field: HTMLTextAreaElement): void {
  field.style.height = 'auto'
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`
}
