import { createTheme } from '@mantine/core'

/** Behavior and shapes; the colors themselves are in styles.css, where a strict style-src can see them. */
export const theme = createTheme({
  primaryColor: 'indigo',
  defaultRadius: 'md',
  fontFamily: 'var(--font)',
  respectReducedMotion: true,
  components: {
    Kbd: { defaultProps: { size: 'xs' } },
    Modal: {
      defaultProps: {
        transitionProps: { duration: 100 },
        // A dialog's head is not the page's.
        attributes: { header: { role: 'none' } },
      },
    },
  },
})
