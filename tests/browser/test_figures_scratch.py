def test_shot(lab, open_notebook):
    lab.write("fig.ipynb", "from nvmelm_lab.views.topology_figure import topology\ntopology()", "topology(phase='Initial copy')", "topology(phase='Suspend', theme='dark')")
    page = open_notebook("fig.ipynb")
    page.locator(".js-plotly-plot").nth(2).wait_for()
    page.wait_for_timeout(800)
    for n in range(3):
        page.locator(".js-plotly-plot").nth(n).scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        page.locator(".js-plotly-plot").nth(n).screenshot(path=f"/tmp/brief/shots/t{n}.png")
    page.screenshot(path="/tmp/brief/shots/page.png")
