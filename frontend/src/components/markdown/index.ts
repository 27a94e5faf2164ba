export { Markdown } from './markdown'
