/** "1,234,567" */
export const count = (n: number): string => n.toLocaleString('en');
