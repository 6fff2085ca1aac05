/* Shows the banner of /etc/issue, as a login prompt would. */
#ifndef GETTY_H
#define GETTY_H

/* Exit status: 0 when the banner has been printed. */
int run_getty(void);

#endif
